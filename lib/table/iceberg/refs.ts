/** Branches and tags: names for snapshots, which keep them from expiring (Iceberg spec, "Snapshot References"). */
import type { SnapshotRef, TableMetadata } from "./metadata.ts";

/** A branch or tag to be made or moved. */
export interface NewRef {
  readonly type: "branch" | "tag";
  /** Default: the newest snapshot. */
  readonly snapshotId?: bigint;
  /** The ref itself leaves once its snapshot is so old, milliseconds. Default: never. */
  readonly maxRefAgeMs?: number;
  /** Branches only: how long its snapshots are kept, milliseconds. Default: as those of `main`. */
  readonly maxSnapshotAgeMs?: number;
  /** Branches only: and at least so many of them. */
  readonly minSnapshotsToKeep?: number;
}

/**
 * Metadata with a branch or tag, made or moved.
 *
 * @throws {RangeError} For `main`, a name of the other type, or a snapshot that is not there.
 */
export function withRef(metadata: TableMetadata, name: string, ref: NewRef): TableMetadata {
  refuseMain(name);
  const id = ref.snapshotId ?? metadata["current-snapshot-id"];
  if (id === undefined || !metadata.snapshots.some((snapshot) => snapshot["snapshot-id"] === id)) {
    throw new RangeError(`Cannot make ${ref.type} "${name}": the table has no snapshot ${id ?? "yet"}`);
  }
  const there = metadata.refs?.[name];
  if (there !== undefined && there.type !== ref.type) {
    throw new RangeError(`Cannot make ${ref.type} "${name}": there is a ${there.type} of that name`);
  }
  const { maxRefAgeMs, maxSnapshotAgeMs, minSnapshotsToKeep } = ref;
  if (ref.type === "tag" && (maxSnapshotAgeMs !== undefined || minSnapshotsToKeep !== undefined)) {
    throw new RangeError(`Cannot make tag "${name}": it names one snapshot and keeps no others`);
  }
  const made: SnapshotRef = {
    type: ref.type,
    "snapshot-id": id,
    ...(maxRefAgeMs === undefined ? {} : { "max-ref-age-ms": maxRefAgeMs }),
    ...(maxSnapshotAgeMs === undefined ? {} : { "max-snapshot-age-ms": maxSnapshotAgeMs }),
    ...(minSnapshotsToKeep === undefined ? {} : { "min-snapshots-to-keep": minSnapshotsToKeep }),
  };
  return { ...metadata, refs: { ...metadata.refs, [name]: made } };
}

/**
 * Metadata without a branch or tag; its snapshots leave with the next expiry.
 *
 * @throws {RangeError} For `main`, or where there is no such name.
 */
export function withoutRef(metadata: TableMetadata, name: string): TableMetadata {
  refuseMain(name);
  const { [name]: dropped, ...refs } = metadata.refs ?? {};
  if (dropped === undefined) throw new RangeError(`Cannot drop "${name}": there is no such branch or tag`);
  return { ...metadata, refs };
}

function refuseMain(name: string): void {
  if (name === "main") throw new RangeError('Cannot change "main": it is the table itself');
}
