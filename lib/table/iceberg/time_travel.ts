/** A table as it was: of an older snapshot, of a branch or tag, at a time. */
import { loadState, type TablePlace } from "./load_state.ts";
import type { Snapshot, TableMetadata } from "./metadata.ts";
import { ownProperties } from "./properties.ts";
import type { IcebergState } from "./state.ts";

/** Which state of a table. */
export type PointInHistory =
  | { readonly snapshotId: bigint }
  /** Name of a branch or tag. */
  | { readonly ref: string }
  /** Epoch milliseconds: the newest snapshot committed by then. */
  | { readonly timeMs: number };

/** Nothing can be committed on a state of this version: there is none. */
const noVersion = 0;

/**
 * The state at a point, for reading alone: a commit that builds on it is a conflict. Undefined where the history does not reach so
 * far back, or has no such snapshot or name.
 */
export async function stateAt(
  place: TablePlace,
  newest: IcebergState,
  point: PointInHistory,
): Promise<IcebergState | undefined> {
  const { metadata } = newest;
  const id = snapshotIdAt(metadata, point);
  const snapshot = metadata.snapshots.find((each) => each["snapshot-id"] === id);
  if (snapshot === undefined) return undefined;
  const isBranch = "ref" in point && metadata.refs?.[point.ref]?.type === "branch";
  const past = asOf(metadata, snapshot);
  // A branch is read with the table's schema of today, a snapshot with its own (Iceberg spec, "Snapshots").
  const schemaId = isBranch ? undefined : snapshot["schema-id"];
  return await loadState(place, {
    version: noVersion,
    metadata: schemaId === undefined ? past : { ...past, "current-schema-id": schemaId },
    known: newest,
  });
}

function snapshotIdAt(metadata: TableMetadata, point: PointInHistory): bigint | undefined {
  if ("snapshotId" in point) return point.snapshotId;
  if ("ref" in point) return metadata.refs?.[point.ref]?.["snapshot-id"];
  return metadata["snapshot-log"].findLast((entry) => entry["timestamp-ms"] <= point.timeMs)?.["snapshot-id"];
}

function asOf(metadata: TableMetadata, snapshot: Snapshot): TableMetadata {
  const properties: Record<string, string> = { ...metadata.properties };
  for (const name of [ownProperties.position, ownProperties.commitTimeMs]) {
    const then = snapshot.summary[name];
    if (then === undefined) delete properties[name];
    else properties[name] = then;
  }
  return {
    ...metadata,
    "current-snapshot-id": snapshot["snapshot-id"],
    "last-sequence-number": snapshot["sequence-number"],
    properties,
  };
}
