/** What came into a table after the snapshot of an index. */
import { type OpenedTable, stateOf } from "../time_travel.ts";
import type { IndexManifest } from "./index_manifest.ts";
import type { VectorSpace } from "./vector_rows.ts";

/** Rows that an index may lack; they can be read until this is disposed. */
export interface RowsSince extends Disposable {
  /** SELECT of rows among which is every row whose text the index may lack. */
  readonly select: string;
}

/** Why an index says nothing of a table's vectors of a model: undefined where it does. */
export function unfitReason(manifest: IndexManifest, { opened, space }: {
  readonly opened: OpenedTable;
  readonly space: VectorSpace;
}): string | undefined {
  if (manifest.table !== opened.table.location) return "it is of another table";
  const isOfModel = manifest.model === space.model && manifest.dimensions === space.dimensions;
  return isOfModel ? undefined : `it is of ${manifest.model} (${manifest.dimensions} dimensions)`;
}

/**
 * The rows that came since; undefined where the index has the texts of all rows. Once the snapshot of the index has expired nobody
 * knows which came since: then it is all of them.
 */
export async function rowsSince(manifest: IndexManifest, opened: OpenedTable): Promise<RowsSince | undefined> {
  const { newest, table } = opened;
  const snapshots = await table.history(newest);
  const { id, timeMs } = manifest.snapshot;
  // By time too: a table that was made anew counts its snapshots from the beginning.
  const snapshot = snapshots.find((kept) => kept.id === id && kept.timeMs === timeMs);
  if (snapshot === undefined) {
    const scan = await table.scan(newest);
    return { select: scan.sql, [Symbol.dispose]: () => scan[Symbol.dispose]() };
  }
  if (newest.snapshotId === id) return undefined;
  const rows = await table.changedRows(await stateOf(opened, snapshot), newest);
  return { select: rows.after, [Symbol.dispose]: () => rows[Symbol.dispose]() };
}
