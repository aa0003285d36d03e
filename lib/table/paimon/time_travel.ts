/** Older snapshots of a table, by id, by time and by tag. */
import { WeirError } from "../../errors.ts";
import type { MetadataReader } from "./metadata_reader.ts";
import type { Snapshot } from "./snapshot.ts";

/** Which snapshot is asked for. `timeMs`: the newest that was committed by then, epoch milliseconds. */
export type SnapshotReference =
  | { readonly snapshotId: bigint }
  | { readonly timeMs: number }
  | { readonly tag: string };

/**
 * Finds a snapshot.
 *
 * @throws {WeirError} `precondition` where it is not there: it never was, or has expired.
 */
export async function findSnapshot(reader: MetadataReader, reference: SnapshotReference): Promise<Snapshot> {
  if ("tag" in reference) return await reader.tag(reference.tag) ?? missing(reader, `No tag ${reference.tag}`);
  if ("snapshotId" in reference) {
    const { snapshotId } = reference;
    return await reader.snapshot(snapshotId) ?? missing(reader, `No snapshot ${snapshotId}`);
  }
  const time = new Date(reference.timeMs).toISOString();
  return await byTime(reader, reference.timeMs) ?? missing(reader, `No snapshot as old as ${time}`);
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

function missing(reader: MetadataReader, what: string): never {
  const path = reader.layout.folder;
  throw new WeirError("precondition", `${what} of the Paimon table at ${path} is there: it never was, or has expired`, {
    detail: { path },
  });
}
