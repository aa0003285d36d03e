/** The snapshots that led to a version of a table, and the files in which two versions differ. */
import { parsePosition } from "../../change/position.ts";
import type { KeptSnapshot } from "../lake_table.ts";
import { sameDeletes } from "./load_state.ts";
import type { Snapshot, TableMetadata } from "./metadata.ts";
import { ownProperties } from "./properties.ts";
import { ancestry } from "./retention.ts";
import { PositionBitmap } from "../deleted_rows/position_bitmap.ts";
import type { FileRows } from "./scan_sql.ts";
import type { IcebergState, LiveFile } from "./state.ts";

/** The current snapshot and those before it that are still listed, oldest first. */
export function keptSnapshots(metadata: TableMetadata): readonly KeptSnapshot[] {
  const byId = new Map(metadata.snapshots.map((snapshot) => [snapshot["snapshot-id"], snapshot]));
  const newestFirst = [...ancestry(byId, metadata["current-snapshot-id"])];
  const kept: KeptSnapshot[] = [];
  for (const snapshot of newestFirst.reverse()) kept.push(keptSnapshot(snapshot, kept.at(-1)));
  return kept;
}

function keptSnapshot(snapshot: Snapshot, before: KeptSnapshot | undefined): KeptSnapshot {
  const { summary } = snapshot;
  // Merged files hold the rows that were there before, whoever merged them.
  const isMerge = summary["operation"] === "replace";
  const position = positionIn(summary[ownProperties.position]) ?? (isMerge ? before?.position : undefined);
  const after = isMerge ? position : positionIn(summary[ownProperties.after]);
  return {
    id: snapshot["snapshot-id"],
    timeMs: snapshot["timestamp-ms"],
    ...(position === undefined ? {} : { position }),
    ...(after === undefined ? {} : { after }),
  };
}

function positionIn(text: string | undefined): KeptSnapshot["position"] {
  return text === undefined ? undefined : parsePosition(text);
}

/** In what two states differ. */
export interface StateDifference {
  /** The older one with the files alone that the other does not have just so, under the newer one's columns by field id. */
  readonly before: IcebergState;
  /** The newer one with the files alone that the older does not have just so. */
  readonly after: IcebergState;
  /** Rows of files of both that were deleted in between. */
  readonly deleted: readonly FileRows[];
}

/** Deleted rows that are named one by one, at most; beyond that their files are read whole. */
const mostNamedRows = 20_000;

/** The difference of two states, by their metadata. */
export function stateDifference(older: IcebergState, newer: IcebergState): StateDifference {
  const metadata = {
    ...older.metadata,
    schemas: newer.metadata.schemas,
    "current-schema-id": newer.metadata["current-schema-id"],
  };
  const deleted = rowsDeletedSince(older, newer);
  const named = new Set(deleted.map(({ file }) => file.entry.file.file_path));
  const filesNotIn = (state: IcebergState, other: IcebergState) =>
    new Map([...state.files].filter(([uri, file]) => !named.has(uri) && !isSame(file, other.files.get(uri))));
  return {
    before: { ...older, metadata, columns: newer.columns, files: filesNotIn(older, newer) },
    after: { ...newer, files: filesNotIn(newer, older) },
    deleted: deleted.filter(({ rows }) => rows.length > 0),
  };
}

function rowsDeletedSince(older: IcebergState, newer: IcebergState): readonly FileRows[] {
  const deleted: FileRows[] = [];
  let named = 0;
  for (const [uri, file] of older.files) {
    const now = newer.files.get(uri);
    if (now === undefined || isSame(file, now)) continue;
    const rows = now.deletes?.positions.growthSince(file.deletes?.positions ?? PositionBitmap.empty);
    if (rows === undefined || named + rows.length > mostNamedRows) continue;
    named += rows.length;
    deleted.push({ file, rows });
  }
  return deleted;
}

function isSame(file: LiveFile, other: LiveFile | undefined): boolean {
  if (other === undefined) return false;
  const [own, theirs] = [file.deletes?.entry, other.deletes?.entry];
  return own === undefined || theirs === undefined ? own === theirs : sameDeletes(own, theirs);
}
