/** The metadata a commit puts: the version before it with a snapshot, properties, and a bounded log of versions. */
import { formatPosition, type Position } from "../../change/position.ts";
import type { Snapshot, TableMetadata } from "./metadata.ts";
import { numberProperty, ownProperties } from "./properties.ts";
import type { IcebergSchema } from "./schema.ts";
import { nextFileNames } from "./file_names.ts";
import { registerSchema } from "./schema_evolution.ts";
import { sortOrderIdUnder } from "./sort_order.ts";

/** What every new version notes. */
export interface VersionEdit {
  readonly commitId: string;
  /** Metadata file of the version before. */
  readonly previousUri: string;
  readonly nowMs: number;
}

/** What changes from one version to the next with a change of rows. */
export interface MetadataEdit extends VersionEdit {
  readonly schema: IcebergSchema;
  readonly lastColumnId: number;
  readonly position: Position | undefined;
  /** Whether every data file has the types of this schema from now on. Default: as far as it was so before. */
  readonly isRetyped?: boolean;
  readonly commitTimeMs?: number;
  /** Absent: no rows change. Its schema id is filled in here. */
  readonly snapshot?: Omit<Snapshot, "schema-id" | "timestamp-ms">;
}

/** The next version as far as it is the same whatever changes. Time never runs backwards in it, whatever the clock does. */
export function nextVersion(base: TableMetadata, edit: VersionEdit): TableMetadata {
  const metadataLog = [...base["metadata-log"], {
    "timestamp-ms": base["last-updated-ms"],
    "metadata-file": edit.previousUri,
  }];
  return {
    ...base,
    "last-updated-ms": Math.max(edit.nowMs, base["last-updated-ms"]),
    properties: { ...base.properties, [ownProperties.commitId]: edit.commitId },
    "metadata-log": metadataLog.slice(-Math.max(1, numberProperty(base, "write.metadata.previous-versions-max"))),
  };
}

/** The next version after a change of rows, schema or position. */
export function nextMetadata(base: TableMetadata, edit: MetadataEdit): TableMetadata {
  const version = nextVersion(base, edit);
  const { schemas, schemaId } = registerSchema(base.schemas, edit.schema);
  const { [ownProperties.position]: _, [ownProperties.fileNames]: __, ...kept } = version.properties;
  const names = nextFileNames(base, edit.schema);
  const schema = schemas.find((each) => each["schema-id"] === schemaId)!;
  const next: TableMetadata = {
    ...version,
    "default-sort-order-id": sortOrderIdUnder(base, schema),
    "last-column-id": Math.max(base["last-column-id"], edit.lastColumnId),
    schemas,
    "current-schema-id": schemaId,
    properties: {
      ...kept,
      ...(Object.keys(names).length === 0 ? {} : { [ownProperties.fileNames]: JSON.stringify(names) }),
      ...(edit.isRetyped ? { [ownProperties.filesTypedAs]: String(schemaId) } : {}),
      ...(edit.position === undefined ? {} : { [ownProperties.position]: formatPosition(edit.position) }),
      ...(edit.commitTimeMs === undefined ? {} : { [ownProperties.commitTimeMs]: String(edit.commitTimeMs) }),
    },
  };
  if (edit.snapshot === undefined) return next;
  return withSnapshot(next, { ...edit.snapshot, "timestamp-ms": next["last-updated-ms"], "schema-id": schemaId });
}

function withSnapshot(base: TableMetadata, snapshot: Snapshot): TableMetadata {
  const id = snapshot["snapshot-id"];
  return {
    ...base,
    "last-sequence-number": snapshot["sequence-number"],
    "current-snapshot-id": id,
    snapshots: [...base.snapshots, snapshot],
    refs: { ...base.refs, main: { ...base.refs?.main, type: "branch", "snapshot-id": id } },
    "snapshot-log": [...base["snapshot-log"], { "timestamp-ms": snapshot["timestamp-ms"], "snapshot-id": id }],
    ...(snapshot["first-row-id"] === undefined
      ? {}
      : { "next-row-id": snapshot["first-row-id"] + snapshot["added-rows"]! }),
  };
}
