/** Manifest lists: the manifests of one snapshot (Iceberg spec, "Manifest Lists"). */
import { decodeAvro, encodeAvro } from "../avro.ts";
import { manifestListSchema } from "./manifest_schema.ts";

/** Range of a partition field over a manifest. */
export interface PartitionSummary {
  readonly contains_null: boolean;
  readonly contains_nan: boolean | null;
  readonly lower_bound: Uint8Array | null;
  readonly upper_bound: Uint8Array | null;
}

/** A manifest as its list describes it; fields are named as in the spec. */
export interface ManifestFile {
  readonly manifest_path: string;
  readonly manifest_length: bigint;
  readonly partition_spec_id: number;
  /** 0 data, 1 deletes. */
  readonly content: 0 | 1;
  readonly sequence_number: bigint;
  readonly min_sequence_number: bigint;
  readonly added_snapshot_id: bigint;
  readonly added_files_count: number;
  readonly existing_files_count: number;
  readonly deleted_files_count: number;
  readonly added_rows_count: bigint;
  readonly existing_rows_count: bigint;
  readonly deleted_rows_count: bigint;
  readonly partitions: readonly PartitionSummary[] | null;
  readonly key_metadata: Uint8Array | null;
  /** Version 3, data manifests only. */
  readonly first_row_id: bigint | null;
}

/** The snapshot a list belongs to. */
export interface ManifestListContext {
  readonly formatVersion: 2 | 3;
  readonly snapshotId: bigint;
  readonly parentSnapshotId?: bigint;
  readonly sequenceNumber: bigint;
  /** Version 3. */
  readonly firstRowId: bigint;
}

/** Encodes a list. */
export function encodeManifestList(manifests: readonly ManifestFile[], context: ManifestListContext): Uint8Array {
  return encodeAvro(manifestListSchema(context.formatVersion), manifests, {
    "snapshot-id": String(context.snapshotId),
    "parent-snapshot-id": String(context.parentSnapshotId ?? null),
    "sequence-number": String(context.sequenceNumber),
    ...(context.formatVersion === 3 ? { "first-row-id": String(context.firstRowId) } : {}),
    "format-version": String(context.formatVersion),
  });
}

/** Decodes a list; fields that its writer left out are null. */
export function decodeManifestList(bytes: Uint8Array): ManifestFile[] {
  return (decodeAvro(bytes).rows as Partial<ManifestFile>[]).map((row) => ({
    ...row,
    partitions: row.partitions ?? null,
    key_metadata: row.key_metadata ?? null,
    first_row_id: row.first_row_id ?? null,
  } as ManifestFile));
}
