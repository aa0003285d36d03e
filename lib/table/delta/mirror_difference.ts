/** In what a mirror and a snapshot of its primary differ. */
import { sameType, widens } from "../../dataset/column_type.ts";
import { WeirError } from "../../errors.ts";
import type { ColumnInFile, PublishedColumn, PublishedFile, PublishedSnapshot } from "../published_table.ts";
import type { PositionBitmap } from "../deleted_rows/position_bitmap.ts";
import { columnType, physicalName } from "./schema.ts";
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
 * @throws {WeirError} `unsupportedSchemaChange` where a file knows a column by another name or type.
 */
export async function mirrorDifference(
  state: DeltaState,
  snapshot: PublishedSnapshot,
): Promise<PublishedDifference> {
  const isNew = ({ uri }: PublishedFile) => !state.files.has(logPath(uri));
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
  await refuseOtherColumns(snapshot, isRetyped(state, snapshot) ? [...snapshot.files.values()] : added.filter(isNew));
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

/** Whether a column has another type than the mirror says, so that no file can be taken for known. */
function isRetyped(state: DeltaState, { columns }: PublishedSnapshot): boolean {
  const types = new Map(columns.map(({ fileName, type }) => [fileName, type]));
  return state.fields.some((field) => {
    const now = types.get(physicalName(field));
    return now !== undefined && !sameType(columnType(field.type), now);
  });
}

/** Columns are found by one name in all files, and there are readers that widen nothing as they read. */
async function refuseOtherColumns(snapshot: PublishedSnapshot, files: readonly PublishedFile[]): Promise<void> {
  if (files.length === 0) return;
  const inFiles = await snapshot.inFiles(files);
  for (const [file, columns] of inFiles ?? []) {
    for (const column of snapshot.columns) {
      if (isElsewhere(column, columns)) throw refused(column, file, otherName);
      if (isNarrower(column, columns)) throw refused(column, file, narrower);
    }
  }
}

const otherName = {
  why: "another writer gave it another name in a file",
  advice: "Merge that table's files with deno task maintain; the mirror then goes on",
};
const narrower = {
  why: "it became wider, and a file has it as it was",
  advice: "The table's next change, or deno task maintain, writes such files anew; the mirror then goes on",
};

function refused(
  { name }: PublishedColumn,
  { uri }: PublishedFile,
  { why, advice }: { readonly why: string; readonly advice: string },
): WeirError {
  const message = `Cannot mirror column ${name} as Delta: ${why}`;
  return new WeirError("unsupportedSchemaChange", message, { detail: { path: uri }, advice });
}

function isElsewhere({ id, fileName }: PublishedColumn, columns: ReadonlyMap<number, ColumnInFile>): boolean {
  const own = columns.get(id);
  if (own !== undefined) return own.name !== fileName;
  return columns.values().some(({ name }) => name === fileName);
}

function isNarrower({ id, type }: PublishedColumn, columns: ReadonlyMap<number, ColumnInFile>): boolean {
  const own = columns.get(id);
  return own !== undefined && widens(own.type, type);
}
