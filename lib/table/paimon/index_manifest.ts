/**
 * Index manifests: which index files a snapshot has (Paimon `IndexManifestEntry`). Of those only deletion vectors are known here.
 */
import { decodeAvro, encodeAvro } from "../avro.ts";
import { emptyRow } from "./binary_row.ts";

const recordVersion = 1;
/** `_INDEX_TYPE` of deletion vectors. */
export const vectorsIndex = "DELETION_VECTORS";

/** The deletion vector of one data file inside an index file. */
export interface VectorRange {
  /** Name of the data file. */
  readonly f0: string;
  /** Where its record begins. */
  readonly f1: number;
  /** Bytes of the record without length and checksum. */
  readonly f2: number;
  readonly _CARDINALITY: bigint | null;
}

/** An index file; field names are the format's. */
export interface IndexEntry {
  readonly _VERSION: number;
  readonly _KIND: number;
  readonly _PARTITION: Uint8Array;
  readonly _BUCKET: number;
  readonly _INDEX_TYPE: string;
  readonly _FILE_NAME: string;
  readonly _FILE_SIZE: bigint;
  readonly _ROW_COUNT: bigint;
  readonly _DELETIONS_VECTORS_RANGES: readonly VectorRange[] | null;
}

const optionalField = (name: string, type: unknown) => ({ name, type: ["null", type], default: null });
const vectorRange = {
  type: "record",
  name: "record__DELETIONS_VECTORS_RANGES",
  fields: [
    { name: "f0", type: "string" },
    { name: "f1", type: "int" },
    { name: "f2", type: "int" },
    optionalField("_CARDINALITY", "long"),
  ],
};
const globalIndex = {
  type: "record",
  name: "record__GLOBAL_INDEX",
  fields: [
    { name: "_ROW_RANGE_START", type: "long" },
    { name: "_ROW_RANGE_END", type: "long" },
    { name: "_INDEX_FIELD_ID", type: "int" },
    optionalField("_EXTRA_FIELD_IDS", { type: "array", items: "int" }),
    optionalField("_INDEX_META", "bytes"),
  ],
};
const schema = {
  type: "record",
  name: "record",
  namespace: "org.apache.paimon.avro.generated",
  fields: [
    { name: "_VERSION", type: "int" },
    { name: "_KIND", type: "int" },
    { name: "_PARTITION", type: "bytes" },
    { name: "_BUCKET", type: "int" },
    { name: "_INDEX_TYPE", type: "string" },
    { name: "_FILE_NAME", type: "string" },
    { name: "_FILE_SIZE", type: "long" },
    { name: "_ROW_COUNT", type: "long" },
    optionalField("_DELETIONS_VECTORS_RANGES", { type: "array", items: ["null", vectorRange] }),
    optionalField("_EXTERNAL_PATH", "string"),
    optionalField("_GLOBAL_INDEX", globalIndex),
  ],
};

/** The entry of a file of deletion vectors. */
export function vectorsEntry(
  file: { readonly name: string; readonly bytes: number; readonly ranges: readonly VectorRange[] },
): IndexEntry {
  return {
    _VERSION: recordVersion,
    _KIND: 0,
    _PARTITION: emptyRow,
    _BUCKET: 0,
    _INDEX_TYPE: vectorsIndex,
    _FILE_NAME: file.name,
    _FILE_SIZE: BigInt(file.bytes),
    _ROW_COUNT: BigInt(file.ranges.length),
    _DELETIONS_VECTORS_RANGES: file.ranges,
  };
}

/** An index manifest's bytes: all index files of a snapshot. */
export function encodeIndexManifest(entries: readonly IndexEntry[]): Uint8Array {
  return encodeAvro(schema, entries.map((entry) => ({ ...entry, _EXTERNAL_PATH: null, _GLOBAL_INDEX: null })));
}

/** Reads an index manifest. Throws `RangeError` where the bytes are damaged or of another version. */
export function decodeIndexManifest(bytes: Uint8Array): readonly IndexEntry[] {
  const entries = decodeAvro(bytes).rows as IndexEntry[];
  const strange = entries.find((entry) => entry._VERSION !== recordVersion);
  if (strange !== undefined) throw new RangeError(`Cannot read index manifest entries of version ${strange._VERSION}`);
  return entries;
}
