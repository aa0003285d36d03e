/** Avro schemas of manifests and manifest lists with their field ids (Iceberg spec, "Manifests" and "Manifest Lists"). */
import type { ScalarType } from "../../dataset/column_type.ts";
import type { PartitionField } from "./metadata.ts";
import { partitionAvro } from "./partition_values.ts";

type Avro = string | readonly unknown[] | Readonly<Record<string, unknown>>;

const required = (id: number, name: string, type: Avro) => ({ name, type, "field-id": id });
const optional = (id: number, name: string, type: Avro) => ({
  name,
  type: ["null", type],
  default: null,
  "field-id": id,
});

/** Avro maps need text keys, so Iceberg writes a map by column id as an array of pairs. */
function mapByColumn(keyId: number, valueId: number, value: string): Avro {
  return {
    type: "array",
    logicalType: "map",
    items: {
      type: "record",
      name: `k${keyId}_v${valueId}`,
      fields: [required(keyId, "key", "int"), required(valueId, "value", value)],
    },
  };
}

/** Avro allows letters, digits and `_` in names; the reference writer spells the rest out in hex. */
export function avroName(name: string): string {
  return name.replace(/^\d/, "_$&").replace(
    /[^A-Za-z0-9_]/gu,
    (character) => `_x${character.codePointAt(0)!.toString(16).toUpperCase()}`,
  );
}

/** Partition fields with the types of their values. */
export interface TypedFields {
  readonly fields: readonly PartitionField[];
  readonly types: readonly ScalarType[];
}

function partitionRecord({ fields, types }: TypedFields): Avro {
  return {
    type: "record",
    name: "r102",
    fields: fields.map((field, index) => ({
      ...optional(field["field-id"], avroName(field.name), partitionAvro(types[index]!, field) as Avro),
      ...(avroName(field.name) === field.name ? {} : { "iceberg-field-name": field.name }),
    })),
  };
}

/** Schema of one manifest entry. */
export function manifestEntrySchema(formatVersion: 2 | 3, partition: TypedFields): object {
  const file = [
    required(134, "content", "int"),
    required(100, "file_path", "string"),
    required(101, "file_format", "string"),
    required(102, "partition", partitionRecord(partition)),
    required(103, "record_count", "long"),
    required(104, "file_size_in_bytes", "long"),
    optional(108, "column_sizes", mapByColumn(117, 118, "long")),
    optional(109, "value_counts", mapByColumn(119, 120, "long")),
    optional(110, "null_value_counts", mapByColumn(121, 122, "long")),
    optional(137, "nan_value_counts", mapByColumn(138, 139, "long")),
    optional(125, "lower_bounds", mapByColumn(126, 127, "bytes")),
    optional(128, "upper_bounds", mapByColumn(129, 130, "bytes")),
    optional(131, "key_metadata", "bytes"),
    optional(132, "split_offsets", { type: "array", items: "long", "element-id": 133 }),
    optional(135, "equality_ids", { type: "array", items: "int", "element-id": 136 }),
    optional(140, "sort_order_id", "int"),
    ...(formatVersion === 3 ? [optional(142, "first_row_id", "long")] : []),
    optional(143, "referenced_data_file", "string"),
    ...(formatVersion === 3
      ? [optional(144, "content_offset", "long"), optional(145, "content_size_in_bytes", "long")]
      : []),
  ];
  return {
    type: "record",
    name: "manifest_entry",
    fields: [
      required(0, "status", "int"),
      optional(1, "snapshot_id", "long"),
      optional(3, "sequence_number", "long"),
      optional(4, "file_sequence_number", "long"),
      required(2, "data_file", { type: "record", name: "r2", fields: file }),
    ],
  };
}

/** Schema of one manifest in a manifest list. */
export function manifestListSchema(formatVersion: 2 | 3): object {
  const summary = {
    type: "record",
    name: "r508",
    fields: [
      required(509, "contains_null", "boolean"),
      optional(518, "contains_nan", "boolean"),
      optional(510, "lower_bound", "bytes"),
      optional(511, "upper_bound", "bytes"),
    ],
  };
  return {
    type: "record",
    name: "manifest_file",
    fields: [
      required(500, "manifest_path", "string"),
      required(501, "manifest_length", "long"),
      required(502, "partition_spec_id", "int"),
      required(517, "content", "int"),
      required(515, "sequence_number", "long"),
      required(516, "min_sequence_number", "long"),
      required(503, "added_snapshot_id", "long"),
      required(504, "added_files_count", "int"),
      required(505, "existing_files_count", "int"),
      required(506, "deleted_files_count", "int"),
      required(512, "added_rows_count", "long"),
      required(513, "existing_rows_count", "long"),
      required(514, "deleted_rows_count", "long"),
      optional(507, "partitions", { type: "array", items: summary, "element-id": 508 }),
      optional(519, "key_metadata", "bytes"),
      ...(formatVersion === 3 ? [optional(520, "first_row_id", "long")] : []),
    ],
  };
}
