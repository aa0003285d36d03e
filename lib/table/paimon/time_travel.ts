/** A table as it was: of an older snapshot, of a tag, at a time. */
import type { MetadataReader } from "./metadata_reader.ts";
import type { Snapshot } from "./snapshot.ts";

/** Which state of a table. */
export type PointInHistory =
  | { readonly snapshotId: bigint }
  /** Name of a tag. */
  | { readonly ref: string }
  /** Epoch milliseconds: the newest snapshot committed by then. */
  | { readonly timeMs: number };

/** The snapshot at a point. Undefined where it never was, or has expired. */
export async function snapshotAt(reader: MetadataReader, point: PointInHistory): Promise<Snapshot | undefined> {
  if ("ref" in point) return await reader.tag(point.ref);
  if ("snapshotId" in point) return await reader.snapshot(point.snapshotId);
  return await byTime(reader, point.timeMs);
}

/** Ids are dense and times never go back. */
async function byTime(reader: MetadataReader, timeMs: number): Promise<Snapshot | undefined> {
  let low = await reader.earliestSnapshotId();
  let high = await reader.newestSnapshotId();
  let found: Snapshot | undefined;
  while (low !== undefined && high !== undefined && low <= high) {
    const middle: bigint = (low + high) / 2n;
    const snapshot = await reader.snapshot(middle);
    // One that has just expired stands below all that are left.
    if (snapshot !== undefined && snapshot.timeMillis > timeMs) high = middle - 1n;
    else {
      found = snapshot ?? found;
      low = middle + 1n;
    }
  }
  return found;
}
