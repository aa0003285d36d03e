/**
 * Avro schemas of manifests and manifest lists (Paimon `ManifestEntry`, `ManifestFileMeta`, `DataFileMeta`). Readers map
 * fields by exact name and take branch 0 of a union as null.
 */

const optional = (type: unknown) => ["null", type];
const optionalField = (name: string, type: unknown) => ({ name, type: optional(type), default: null });

function statistics(name: string): object {
  return {
    type: "record",
    name,
    fields: [
      { name: "_MIN_VALUES", type: "bytes" },
      { name: "_MAX_VALUES", type: "bytes" },
      optionalField("_NULL_COUNTS", { type: "array", items: optional("long") }),
    ],
  };
}

const fileFields = [
  { name: "_FILE_NAME", type: "string" },
  { name: "_FILE_SIZE", type: "long" },
  { name: "_ROW_COUNT", type: "long" },
  { name: "_MIN_KEY", type: "bytes" },
  { name: "_MAX_KEY", type: "bytes" },
  { name: "_KEY_STATS", type: statistics("record__FILE__KEY_STATS") },
  { name: "_VALUE_STATS", type: statistics("record__FILE__VALUE_STATS") },
  { name: "_MIN_SEQUENCE_NUMBER", type: "long" },
  { name: "_MAX_SEQUENCE_NUMBER", type: "long" },
  { name: "_SCHEMA_ID", type: "long" },
  { name: "_LEVEL", type: "int" },
  { name: "_EXTRA_FILES", type: { type: "array", items: "string" } },
  optionalField("_CREATION_TIME", { type: "long", logicalType: "timestamp-millis" }),
  optionalField("_DELETE_ROW_COUNT", "long"),
  optionalField("_EMBEDDED_FILE_INDEX", "bytes"),
  optionalField("_FILE_SOURCE", "int"),
  optionalField("_VALUE_STATS_COLS", { type: "array", items: "string" }),
  optionalField("_EXTERNAL_PATH", "string"),
  optionalField("_FIRST_ROW_ID", "long"),
  optionalField("_WRITE_COLS", { type: "array", items: "string" }),
];

const namespace = "org.apache.paimon.avro.generated";

/** One entry of a manifest: a data file that was added or deleted. */
export const manifestSchema: object = {
  type: "record",
  name: "record",
  namespace,
  fields: [
    { name: "_VERSION", type: "int" },
    { name: "_KIND", type: "int" },
    { name: "_PARTITION", type: "bytes" },
    { name: "_BUCKET", type: "int" },
    { name: "_TOTAL_BUCKETS", type: "int" },
    { name: "_FILE", type: { type: "record", name: "record__FILE", fields: fileFields } },
  ],
};

/** One entry of a manifest list: a manifest. */
export const manifestListSchema: object = {
  type: "record",
  name: "record",
  namespace,
  fields: [
    { name: "_VERSION", type: "int" },
    { name: "_FILE_NAME", type: "string" },
    { name: "_FILE_SIZE", type: "long" },
    { name: "_NUM_ADDED_FILES", type: "long" },
    { name: "_NUM_DELETED_FILES", type: "long" },
    { name: "_PARTITION_STATS", type: statistics("record__PARTITION_STATS") },
    { name: "_SCHEMA_ID", type: "long" },
    optionalField("_MIN_BUCKET", "int"),
    optionalField("_MAX_BUCKET", "int"),
    optionalField("_MIN_LEVEL", "int"),
    optionalField("_MAX_LEVEL", "int"),
    optionalField("_MIN_ROW_ID", "long"),
    optionalField("_MAX_ROW_ID", "long"),
  ],
};
