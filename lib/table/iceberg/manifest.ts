/**
 * Manifests: the files of a table with what is known of each (Iceberg spec, "Manifests").
 *
 * Promise: entries in memory are always complete; what the format inherits from the manifest list (sequence numbers,
 * snapshot id, first row id) is filled in on reading and left out again on writing.
 */
import { stringifyJson } from "../lossless_json.ts";
import { decodeAvro, encodeAvro } from "../avro.ts";
import { avroName, manifestEntrySchema } from "./manifest_schema.ts";
import type { ManifestFile } from "./manifest_list.ts";
import type { PartitionField, PartitionSpec } from "./metadata.ts";
import { fromAvro, partitionType, type PartitionValue, toAvro } from "./partition_values.ts";
import type { IcebergSchema } from "./schema.ts";

/** A map by column id, in Avro's array form. */
export type ByColumn<T> = readonly { readonly key: number; readonly value: T }[];

/** A data or delete file; fields are named as in the spec. */
export interface FileRecord {
  /** 0 data, 1 position deletes (deletion vectors too), 2 equality deletes. */
  readonly content: number;
  readonly file_path: string;
  readonly file_format: string;
  /** By partition field name, as Avro spells it. */
  readonly partition: Readonly<Record<string, PartitionValue>>;
  readonly record_count: bigint;
  readonly file_size_in_bytes: bigint;
  readonly column_sizes: ByColumn<bigint> | null;
  readonly value_counts: ByColumn<bigint> | null;
  readonly null_value_counts: ByColumn<bigint> | null;
  readonly nan_value_counts: ByColumn<bigint> | null;
  readonly lower_bounds: ByColumn<Uint8Array> | null;
  readonly upper_bounds: ByColumn<Uint8Array> | null;
  readonly key_metadata: Uint8Array | null;
  readonly split_offsets: readonly bigint[] | null;
  readonly equality_ids: readonly number[] | null;
  readonly sort_order_id: number | null;
  readonly first_row_id: bigint | null;
  readonly referenced_data_file: string | null;
  readonly content_offset: bigint | null;
  readonly content_size_in_bytes: bigint | null;
}

/** A file's place in a table: 0 existing, 1 added, 2 deleted by the snapshot. */
export interface ManifestEntry {
  readonly status: 0 | 1 | 2;
  readonly snapshotId: bigint;
  readonly sequenceNumber: bigint;
  readonly fileSequenceNumber: bigint;
  /** Of the spec by which `partition` is to be read; a manifest holds entries of one. */
  readonly specId: number;
  readonly file: FileRecord;
}

/** A file record with everything unknown left null. */
export const blankFile: Omit<
  FileRecord,
  "content" | "file_path" | "file_format" | "partition" | "record_count" | "file_size_in_bytes"
> = {
  column_sizes: null,
  value_counts: null,
  null_value_counts: null,
  nan_value_counts: null,
  lower_bounds: null,
  upper_bounds: null,
  key_metadata: null,
  split_offsets: null,
  equality_ids: null,
  sort_order_id: null,
  first_row_id: null,
  referenced_data_file: null,
  content_offset: null,
  content_size_in_bytes: null,
};

/** What a manifest carries beside its entries. */
export interface ManifestContext {
  readonly formatVersion: 2 | 3;
  readonly schema: IcebergSchema;
  readonly spec: PartitionSpec;
}

/** A file's value of a partition field. */
export function partitionOfFile(
  { partition }: Pick<FileRecord, "partition">,
  { name }: PartitionField,
): PartitionValue {
  return partition[avroName(name)] ?? null;
}

/** What {@linkcode partitionOfFile} reads, of values in the order of the fields. */
export function partitionRecord({ fields }: PartitionSpec, values: readonly PartitionValue[]): FileRecord["partition"] {
  return Object.fromEntries(fields.map(({ name }, index) => [avroName(name), values[index] ?? null]));
}

/** Encodes a manifest of one content: 0 data, 1 deletes. */
export function encodeManifest(
  entries: readonly ManifestEntry[],
  context: ManifestContext & { readonly content: 0 | 1 },
): Uint8Array {
  const { formatVersion, schema, spec, content } = context;
  const partitionTypes = spec.fields.map((field) => partitionType(schema, field));
  const withPartition = (file: FileRecord) => ({
    ...file,
    partition: Object.fromEntries(
      spec.fields.map((
        field,
        index,
      ) => [avroName(field.name), toAvro(partitionTypes[index]!, partitionOfFile(file, field))]),
    ),
  });
  const rows = entries.map(({ status, snapshotId, sequenceNumber, fileSequenceNumber, file }) => ({
    status,
    snapshot_id: snapshotId,
    // A merged file keeps the sequence number of the rows that were read; every other new file inherits its commit's.
    sequence_number: status === 1 && sequenceNumber === fileSequenceNumber ? null : sequenceNumber,
    file_sequence_number: status === 1 ? null : fileSequenceNumber,
    data_file: withPartition(status === 1 ? { ...file, first_row_id: null } : file),
  }));
  return encodeAvro(manifestEntrySchema(formatVersion, { fields: spec.fields, types: partitionTypes }), rows, {
    schema: stringifyJson(schema),
    "schema-id": String(schema["schema-id"]),
    "partition-spec": stringifyJson(spec.fields),
    "partition-spec-id": String(spec["spec-id"]),
    "format-version": String(formatVersion),
    content: content === 0 ? "data" : "deletes",
  });
}

interface EntryRow {
  readonly status: 0 | 1 | 2;
  readonly snapshot_id: bigint | null;
  readonly sequence_number: bigint | null;
  readonly file_sequence_number: bigint | null;
  readonly data_file: Partial<FileRecord> & Pick<FileRecord, "record_count" | "file_path">;
}

/** Decodes a manifest with what it inherits from its line in the manifest list (spec, "Sequence Number Inheritance"). */
export function decodeManifest(bytes: Uint8Array, manifest: ManifestFile): ManifestEntry[] {
  let nextRowId = manifest.first_row_id;
  return (decodeAvro(bytes).rows as EntryRow[]).map((row) => {
    const partition = Object.entries(row.data_file.partition ?? {}).map(([name, value]) => [name, fromAvro(value)]);
    const file = {
      ...blankFile,
      ...withoutUndefined(row.data_file),
      partition: Object.fromEntries(partition),
    } as FileRecord;
    let firstRowId = file.first_row_id;
    if (firstRowId === null && nextRowId !== null && row.status !== 2 && manifest.content === 0) {
      firstRowId = nextRowId;
      nextRowId += file.record_count;
    }
    return {
      status: row.status,
      snapshotId: row.snapshot_id ?? manifest.added_snapshot_id,
      sequenceNumber: row.sequence_number ?? manifest.sequence_number,
      fileSequenceNumber: row.file_sequence_number ?? manifest.sequence_number,
      specId: manifest.partition_spec_id,
      file: { ...file, first_row_id: firstRowId },
    };
  });
}

function withoutUndefined(record: object): object {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}
