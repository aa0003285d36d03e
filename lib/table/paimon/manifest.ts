/** Manifests (which data files were added and deleted) and manifest lists (which manifests make a snapshot). */
import { decodeAvro, encodeAvro } from "../avro.ts";
import { emptyRow } from "./binary_row.ts";
import { manifestListSchema, manifestSchema } from "./manifest_schema.ts";
import type { Partitioning, Place } from "./partitioning.ts";

/** Version of both record layouts (Paimon `ManifestEntrySerializer`, `ManifestFileMetaSerializer`). */
const recordVersion = 2;
/** `_KIND` of an entry. */
export const entryKind = { add: 0, delete: 1 } as const;

/** Statistics as BinaryRows: smallest and largest value of each column, and how many are null. */
export interface SimpleStatistics {
  readonly _MIN_VALUES: Uint8Array;
  readonly _MAX_VALUES: Uint8Array;
  readonly _NULL_COUNTS: readonly (bigint | null)[] | null;
}

/** Statistics of no columns. */
export const noStatistics: SimpleStatistics = { _MIN_VALUES: emptyRow, _MAX_VALUES: emptyRow, _NULL_COUNTS: [] };

/** A data file as a manifest describes it; field names are the format's. */
export interface FileRecord {
  readonly _FILE_NAME: string;
  readonly _FILE_SIZE: bigint;
  /** Rows, those that mark deletions included. */
  readonly _ROW_COUNT: bigint;
  readonly _MIN_KEY: Uint8Array;
  readonly _MAX_KEY: Uint8Array;
  readonly _KEY_STATS: SimpleStatistics;
  readonly _VALUE_STATS: SimpleStatistics;
  readonly _MIN_SEQUENCE_NUMBER: bigint;
  readonly _MAX_SEQUENCE_NUMBER: bigint;
  readonly _SCHEMA_ID: bigint;
  readonly _LEVEL: number;
  readonly _EXTRA_FILES: readonly string[];
  readonly _CREATION_TIME: bigint | null;
  readonly _DELETE_ROW_COUNT: bigint | null;
  readonly _EMBEDDED_FILE_INDEX: Uint8Array | null;
  readonly _FILE_SOURCE: number | null;
  readonly _VALUE_STATS_COLS: readonly string[] | null;
  readonly _EXTERNAL_PATH: string | null;
  readonly _FIRST_ROW_ID: bigint | null;
  readonly _WRITE_COLS: readonly string[] | null;
}

/** An entry of a manifest. A deletion repeats every byte of the addition but its kind. */
export interface ManifestEntry {
  readonly _VERSION: number;
  readonly _KIND: number;
  readonly _PARTITION: Uint8Array;
  readonly _BUCKET: number;
  readonly _TOTAL_BUCKETS: number;
  readonly _FILE: FileRecord;
}

/** An entry of a manifest list. Counts and bounds are exact: readers skip what they rule out. */
export interface ManifestMeta {
  readonly _VERSION: number;
  readonly _FILE_NAME: string;
  readonly _FILE_SIZE: bigint;
  readonly _NUM_ADDED_FILES: bigint;
  readonly _NUM_DELETED_FILES: bigint;
  readonly _PARTITION_STATS: SimpleStatistics;
  readonly _SCHEMA_ID: bigint;
  readonly _MIN_BUCKET: number | null;
  readonly _MAX_BUCKET: number | null;
  readonly _MIN_LEVEL: number | null;
  readonly _MAX_LEVEL: number | null;
  readonly _MIN_ROW_ID: bigint | null;
  readonly _MAX_ROW_ID: bigint | null;
}

/** A file that was added. */
export function additionOf(
  file: FileRecord,
  { place, totalBuckets }: { readonly place: Place; readonly totalBuckets: number },
): ManifestEntry {
  return {
    _VERSION: recordVersion,
    _KIND: entryKind.add,
    _PARTITION: place.partition,
    _BUCKET: place.bucket,
    _TOTAL_BUCKETS: totalBuckets,
    _FILE: file,
  };
}

/** The same file, deleted. */
export function deletionOf(entry: ManifestEntry): ManifestEntry {
  return { ...entry, _KIND: entryKind.delete };
}

/** What pairs a deletion with its addition (Paimon `FileEntry.Identifier`). */
export function entryIdentity({ _PARTITION, _BUCKET, _FILE }: ManifestEntry): string {
  const { _LEVEL, _FILE_NAME, _EXTRA_FILES, _EMBEDDED_FILE_INDEX, _EXTERNAL_PATH } = _FILE;
  return JSON.stringify([
    [..._PARTITION],
    _BUCKET,
    _LEVEL,
    _FILE_NAME,
    _EXTRA_FILES,
    _EMBEDDED_FILE_INDEX && [..._EMBEDDED_FILE_INDEX],
    _EXTERNAL_PATH,
  ]);
}

/**
 * Entries without the pairs that cancel each other. A deletion whose addition stands elsewhere stays.
 */
export function mergeEntries(entries: readonly ManifestEntry[]): readonly ManifestEntry[] {
  const deletions = entries.filter((entry) => entry._KIND === entryKind.delete);
  if (deletions.length === 0) return entries;
  const additions = entries.filter((entry) => entry._KIND === entryKind.add);
  const added = new Set(additions.map(entryIdentity));
  const deleted = new Set(deletions.map(entryIdentity));
  return [
    ...additions.filter((entry) => !deleted.has(entryIdentity(entry))),
    ...deletions.filter((entry) => !added.has(entryIdentity(entry))),
  ];
}

/** A manifest's bytes, and its entry in a manifest list. */
export function encodeManifest(
  name: string,
  entries: readonly ManifestEntry[],
  partitioning: Partitioning,
): { readonly bytes: Uint8Array; readonly meta: ManifestMeta } {
  const bytes = encodeAvro(manifestSchema, entries);
  const buckets = entries.map((entry) => entry._BUCKET);
  const levels = entries.map((entry) => entry._FILE._LEVEL);
  const deleted = entries.reduce((count, entry) => count + entry._KIND, 0);
  const meta: ManifestMeta = {
    _VERSION: recordVersion,
    _FILE_NAME: name,
    _FILE_SIZE: BigInt(bytes.length),
    _NUM_ADDED_FILES: BigInt(entries.length - deleted),
    _NUM_DELETED_FILES: BigInt(deleted),
    _PARTITION_STATS: partitioning.statistics(entries.map(({ _PARTITION }) => _PARTITION)),
    _SCHEMA_ID: entries.reduce((id, { _FILE }) => _FILE._SCHEMA_ID > id ? _FILE._SCHEMA_ID : id, 0n),
    _MIN_BUCKET: buckets.reduce((left, right) => Math.min(left, right)),
    _MAX_BUCKET: buckets.reduce((left, right) => Math.max(left, right)),
    _MIN_LEVEL: levels.reduce((left, right) => Math.min(left, right)),
    _MAX_LEVEL: levels.reduce((left, right) => Math.max(left, right)),
    _MIN_ROW_ID: null,
    _MAX_ROW_ID: null,
  };
  return { bytes, meta };
}

/** A manifest list's bytes; a list of none is a valid file. */
export function encodeManifestList(manifests: readonly ManifestMeta[]): Uint8Array {
  return encodeAvro(manifestListSchema, manifests);
}

/** Reads a manifest. Throws `RangeError` where the bytes are damaged or of another version. */
export function decodeManifest(bytes: Uint8Array): readonly ManifestEntry[] {
  return versioned(decodeAvro(bytes).rows as ManifestEntry[]);
}

/** Reads a manifest list. Throws `RangeError` where the bytes are damaged or of another version. */
export function decodeManifestList(bytes: Uint8Array): readonly ManifestMeta[] {
  return versioned(decodeAvro(bytes).rows as ManifestMeta[]);
}

function versioned<Entry extends { readonly _VERSION: number }>(entries: readonly Entry[]): readonly Entry[] {
  const strange = entries.find((entry) => entry._VERSION !== recordVersion);
  if (strange !== undefined) throw new RangeError(`Cannot read manifest entries of version ${strange._VERSION}`);
  return entries;
}
