/**
 * The metadata a commit puts: the version before it with a snapshot, properties, and bounded logs.
 *
 * Snapshots leave the metadata by age, but never the newest ones (`history.expire.*`); their files are left to table
 * maintenance, which finds them as files that no snapshot refers to.
 */
import { formatPosition, type Position } from "../../change/position.ts";
import { currentSnapshot, type Snapshot, type TableMetadata } from "./metadata.ts";
import { numberProperty, ownProperties } from "./properties.ts";
import type { IcebergSchema } from "./schema.ts";
import { registerSchema } from "./schema_evolution.ts";

/** What changes from one version to the next. */
export interface MetadataEdit {
  readonly schema: IcebergSchema;
  readonly lastColumnId: number;
  readonly position: Position | undefined;
  readonly commitTimeMs?: number;
  readonly commitId: string;
  /** Absent: no rows change. Its schema id is filled in here. */
  readonly snapshot?: Omit<Snapshot, "schema-id" | "timestamp-ms">;
  /** Metadata file of the version before. */
  readonly previousUri: string;
  readonly nowMs: number;
}

/** The next version. Time never runs backwards in it, whatever the clock does. */
export function nextMetadata(base: TableMetadata, edit: MetadataEdit): TableMetadata {
  const updatedMs = Math.max(edit.nowMs, base["last-updated-ms"]);
  const { schemas, schemaId } = registerSchema(base.schemas, edit.schema);
  const snapshot = edit.snapshot && { ...edit.snapshot, "timestamp-ms": updatedMs, "schema-id": schemaId };
  const { [ownProperties.position]: _, ...kept } = base.properties;
  const properties = {
    ...kept,
    ...(edit.position === undefined ? {} : { [ownProperties.position]: formatPosition(edit.position) }),
    ...(edit.commitTimeMs === undefined ? {} : { [ownProperties.commitTimeMs]: String(edit.commitTimeMs) }),
    [ownProperties.commitId]: edit.commitId,
  };
  const metadataLog = [...base["metadata-log"], {
    "timestamp-ms": base["last-updated-ms"],
    "metadata-file": edit.previousUri,
  }];
  const next: TableMetadata = {
    ...base,
    "last-updated-ms": updatedMs,
    "last-column-id": Math.max(base["last-column-id"], edit.lastColumnId),
    schemas,
    "current-schema-id": schemaId,
    properties,
    "metadata-log": metadataLog.slice(-Math.max(1, numberProperty(base, "write.metadata.previous-versions-max"))),
  };
  return snapshot === undefined ? next : withSnapshot(next, snapshot);
}

function withSnapshot(base: TableMetadata, snapshot: Snapshot): TableMetadata {
  const id = snapshot["snapshot-id"];
  const main = { ...base.refs?.main, type: "branch", "snapshot-id": id };
  const grown: TableMetadata = {
    ...base,
    "last-sequence-number": snapshot["sequence-number"],
    "current-snapshot-id": id,
    snapshots: [...base.snapshots, snapshot],
    refs: { ...base.refs, main },
    "snapshot-log": [...base["snapshot-log"], { "timestamp-ms": snapshot["timestamp-ms"], "snapshot-id": id }],
    ...(snapshot["first-row-id"] === undefined
      ? {}
      : { "next-row-id": snapshot["first-row-id"] + snapshot["added-rows"]! }),
  };
  return withoutOldSnapshots(grown);
}

function withoutOldSnapshots(metadata: TableMetadata): TableMetadata {
  const newest = currentSnapshot(metadata)!["timestamp-ms"];
  const oldest = newest - numberProperty(metadata, "history.expire.max-snapshot-age-ms");
  const least = Math.max(1, numberProperty(metadata, "history.expire.min-snapshots-to-keep"));
  const named = new Set(Object.values(metadata.refs ?? {}).map((ref) => BigInt(ref["snapshot-id"] as bigint)));
  const { snapshots } = metadata;
  const kept = snapshots.filter((snapshot, index) =>
    snapshots.length - index <= least || snapshot["timestamp-ms"] >= oldest || named.has(snapshot["snapshot-id"])
  );
  if (kept.length === snapshots.length) return metadata;
  const ids = new Set(kept.map((snapshot) => snapshot["snapshot-id"]));
  const log = metadata["snapshot-log"];
  // An entry before one that left would make the history look complete (Iceberg spec, snapshot-log).
  const cut = log.findLastIndex((entry) => !ids.has(entry["snapshot-id"]));
  return { ...metadata, snapshots: kept, "snapshot-log": log.slice(cut + 1) };
}
