/** In what a mirror and a snapshot of its primary differ. */
import { WeirError } from "../../errors.ts";
import type { ColumnInFile, PublishedColumn, PublishedFile, PublishedSnapshot } from "../published_table.ts";
import type { PositionBitmap } from "../deleted_rows/position_bitmap.ts";
import type { DeltaState, LiveFile } from "./state.ts";

/** Files that come and go. */
export interface PublishedDifference {
  /** New ones, and those with other deleted rows. */
  readonly added: readonly PublishedFile[];
  readonly removed: readonly LiveFile[];
  /** Files that stay just so, by path in the log. */
  readonly kept: ReadonlyMap<string, LiveFile>;
}

/**
 * Compares live files.
 *
 * @throws {WeirError} `unsupportedSchemaChange` where a new file knows a column by another name.
 */
export async function mirrorDifference(
  state: DeltaState,
  snapshot: PublishedSnapshot,
): Promise<PublishedDifference> {
  const added: PublishedFile[] = [];
  const kept = new Map<string, LiveFile>();
  for (const file of snapshot.files.values()) {
    const path = logPath(file.uri);
    const live = state.files.get(path);
    if (live === undefined || !isSame(live, file.deleted)) added.push(file);
    else {kept.set(
        path,
        file.deleted === undefined ? live : { ...live, deleted: { ...live.deleted!, positions: file.deleted } },
      );}
  }
  const removed = [...state.files].filter(([path]) => !kept.has(path)).map(([, file]) => file);
  await refuseOtherNames(snapshot, added.filter(({ uri }) => !state.files.has(logPath(uri))));
  return { added, removed, kept };
}

/** A file's URI as the log spells it. */
export function logPath(uri: string): string {
  return encodeURI(uri).replace(/[?#]/g, encodeURIComponent);
}

function isSame({ deleted }: LiveFile, positions: PositionBitmap | undefined): boolean {
  if (deleted === undefined || positions === undefined) return deleted?.positions === positions;
  if (deleted.positions === positions) return true;
  return deleted.positions.count === positions.count && positions.growthSince(deleted.positions)?.length === 0;
}

/** Columns are found by one name in all files. Types may be narrower: readers widen as they read. */
async function refuseOtherNames(snapshot: PublishedSnapshot, files: readonly PublishedFile[]): Promise<void> {
  if (files.length === 0) return;
  const inFiles = await snapshot.inFiles(files);
  for (const [file, columns] of inFiles ?? []) {
    const strange = snapshot.columns.find((column) => isElsewhere(column, columns));
    if (strange === undefined) continue;
    throw new WeirError(
      "unsupportedSchemaChange",
      `Cannot mirror column ${strange.name} as Delta: another writer gave it another name in a file`,
      {
        detail: { path: file.uri },
        advice: "Merge that table's files with deno task maintain; the mirror then goes on",
      },
    );
  }
}

function isElsewhere({ id, fileName }: PublishedColumn, columns: ReadonlyMap<number, ColumnInFile>): boolean {
  const own = columns.get(id);
  if (own !== undefined) return own.name !== fileName;
  return columns.values().some(({ name }) => name === fileName);
}
