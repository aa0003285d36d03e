/**
 * Writing a change's data files: one sorted level-0 file for each bucket of a keyed table, one file for a table that only
 * grows. Nothing of it is visible until a snapshot names it.
 */
import type { TableChange } from "../../change/sink.ts";
import type { Connection } from "../../engine/connection.ts";
import { failPoint } from "../../fail_point.ts";
import type { DataFile } from "../data_file.ts";
import { writeParquet } from "../parquet.ts";
import { emptyRow, serializeRow } from "./binary_row.ts";
import { bucketSql } from "./bucket_sql.ts";
import { makeDeletedKeys } from "./deleted_keys.ts";
import { identifier } from "../../engine/quote.ts";
import type { FilePlace } from "./file_rows_sql.ts";
import { keyColumns } from "./key_columns.ts";
import { additionOf, deletionOf, type FileRecord, type ManifestEntry, mergeEntries, noStatistics } from "./manifest.ts";
import type { MetadataReader } from "./metadata_reader.ts";
import { type BucketPart, isInKeyOrder, routeChange } from "./routing.ts";
import { type NewRows, newRowsSql } from "./new_rows_sql.ts";
import type { PreparedChange } from "./prepared.ts";
import { bucketCount, bucketKey, type PaimonSchema } from "./schema.ts";
import { keyStatistics, valueStatistics } from "./statistics.ts";
import type { PaimonState } from "./table_state.ts";
import { assertHolds, targetSchema } from "./target_schema.ts";

/** What {@linkcode prepareChange} works with. */
export interface PrepareOptions extends FilePlace {
  readonly connection: Connection;
  readonly reader: MetadataReader;
  readonly nowMs: number;
}

/** Writes the data files of a change. Where it fails, none of them is left. */
export async function prepareChange(
  state: PaimonState,
  change: TableChange,
  options: PrepareOptions,
): Promise<PreparedChange> {
  const { schemaChanges: changes, truncate: isEmptied } = change;
  const schema = targetSchema(state, { changes, isEmptied, timeMillis: options.nowMs });
  assertHolds(schema, change.definition);
  await failPoint("paimon.beforeDataFiles");
  const deletions = change.truncate ? await allDeletions(state, options.reader) : [];
  const files = await writeFiles({ state, change, schema, options });
  await failPoint("paimon.afterDataFiles");
  const { position, after, commitTimeMs } = change;
  return {
    change: { position, commitTimeMs, ...(after === undefined ? {} : { after }) },
    schema,
    additions: files.map(({ entry }) => entry),
    paths: files.map(({ path }) => path),
    deletions,
    truncate: change.truncate,
    base: { snapshotId: state.snapshotId, schemaId: state.schema.id },
  };
}

/** Of a state: all parts of a load share them. */
const known = new WeakMap<PaimonState, readonly ManifestEntry[]>();

async function allDeletions(state: PaimonState, reader: MetadataReader): Promise<readonly ManifestEntry[]> {
  const deletions = known.get(state) ?? (await liveEntries(state, reader)).map(deletionOf);
  known.set(state, deletions);
  return deletions;
}

/** Entries of all live files, byte by byte. */
export async function liveEntries(state: PaimonState, reader: MetadataReader): Promise<readonly ManifestEntry[]> {
  const entries = await Promise.all(state.manifests.map((meta) => reader.manifest(meta)));
  return mergeEntries(entries.flat());
}

/** A data file that no snapshot names yet. */
export interface WrittenFile {
  readonly path: string;
  readonly entry: ManifestEntry;
}

interface Work {
  readonly state: PaimonState;
  readonly change: TableChange;
  readonly schema: PaimonSchema;
  readonly options: PrepareOptions;
}

async function writeFiles(work: Work): Promise<readonly WrittenFile[]> {
  const written: WrittenFile[] = [];
  try {
    await (work.state.key.length === 0 ? writeAppended(work, written) : writeBuckets(work, written));
    return written;
  } catch (thrown) {
    for (const { path } of written) await work.options.storage.delete(path).catch(() => {});
    throw thrown;
  }
}

/** A table without a key: its rows in any order, in bucket 0 (Paimon: bucket-unaware). */
async function writeAppended({ state, change, schema, options }: Work, written: WrittenFile[]): Promise<void> {
  if (change.removals !== undefined && change.removals.rows > 0) {
    throw new TypeError("Cannot remove rows from a Paimon table without a key");
  }
  if (change.upserts === undefined || change.upserts.rows === 0) return;
  const path = options.layout.data(0, dataFileName());
  const select = newRowsSql({ schema, upserts: change.upserts });
  const file = await writeParquet(options.connection, { storage: options.storage, path, select });
  if (file === undefined) return;
  const first = (state.sequenceNumbers.get(0) ?? -1n) + 1n;
  const record: FileRecord = {
    ...fileRecord(file, schema, options),
    _MIN_SEQUENCE_NUMBER: first,
    _MAX_SEQUENCE_NUMBER: first + file.rows - 1n,
  };
  written.push({ path, entry: additionOf(record, { bucket: 0, totalBuckets: -1 }) });
}

async function writeBuckets(work: Work, written: WrittenFile[]): Promise<void> {
  const { state, change, schema, options: { connection } } = work;
  const buckets = bucketCount(schema);
  const key = keyColumns(schema.fields, schema.primaryKeys);
  const bucket = await bucketSql(keyColumns(schema.fields, bucketKey(schema)), { buckets, connection });
  const deletedKeys = await makeDeletedKeys(state, { connection, place: work.options, schema, key, bucket, change });
  try {
    const { upserts } = change;
    const relations = {
      ...(upserts === undefined ? {} : { upserts: upserts.name }),
      ...(deletedKeys === undefined ? {} : { deletedKeys }),
    };
    const isOrdered = upserts !== undefined &&
      await isInKeyOrder(connection, { name: upserts.name, key: schema.primaryKeys });
    for (const part of await routeChange({ connection, key, bucket, ...relations })) {
      if (written.length > 0) await failPoint("paimon.betweenDataFiles");
      const rows = { schema, bucket, deletedKeys, ...(upserts === undefined ? {} : { upserts }) };
      await writeBucket({ work, part, rows, isOrdered }, written);
    }
  } finally {
    if (deletedKeys !== undefined) await connection.run(`DROP TABLE IF EXISTS ${identifier(deletedKeys)}`);
  }
}

/**
 * One bucket's file. All its rows have the same sequence number, one above the bucket's last: numbers order the versions
 * of one key, and a key stands in a file once.
 */
async function writeBucket(
  { work, part, rows, isOrdered }: {
    readonly work: Work;
    readonly part: BucketPart;
    readonly rows: Omit<NewRows, "version">;
    readonly isOrdered: boolean;
  },
  written: WrittenFile[],
): Promise<void> {
  const { state, schema, options } = work;
  const sequenceNumber = (state.sequenceNumbers.get(part.bucket) ?? -1n) + 1n;
  const select = newRowsSql({ ...rows, version: { part, buckets: bucketCount(schema), sequenceNumber, isOrdered } });
  const path = options.layout.data(part.bucket, dataFileName());
  const file = await writeParquet(options.connection, { storage: options.storage, path, select });
  if (file === undefined) return;
  const key = keyColumns(schema.fields, schema.primaryKeys);
  const types = key.map(({ type }) => type);
  const record: FileRecord = {
    ...fileRecord(file, schema, options),
    _MIN_KEY: serializeRow(types, part.range.min),
    _MAX_KEY: serializeRow(types, part.range.max),
    _KEY_STATS: keyStatistics(key, part.bounds),
    _MIN_SEQUENCE_NUMBER: sequenceNumber,
    _MAX_SEQUENCE_NUMBER: sequenceNumber,
    _DELETE_ROW_COUNT: part.deletedRows,
  };
  written.push({ path, entry: additionOf(record, { bucket: part.bucket, totalBuckets: bucketCount(schema) }) });
}

/** A name that no other file of any table has. */
export function dataFileName(): string {
  return `data-${crypto.randomUUID()}-0.parquet`;
}

/** What is the same for every new file. */
export function fileRecord(
  file: DataFile,
  schema: PaimonSchema,
  options: Pick<PrepareOptions, "nowMs">,
): Omit<FileRecord, "_MIN_SEQUENCE_NUMBER" | "_MAX_SEQUENCE_NUMBER"> {
  return {
    _FILE_NAME: file.path.slice(file.path.lastIndexOf("/") + 1),
    _FILE_SIZE: file.bytes,
    _ROW_COUNT: file.rows,
    _MIN_KEY: emptyRow,
    _MAX_KEY: emptyRow,
    _KEY_STATS: noStatistics,
    _VALUE_STATS: valueStatistics(file, schema.fields),
    _SCHEMA_ID: BigInt(schema.id),
    _LEVEL: 0,
    _EXTRA_FILES: [],
    _CREATION_TIME: BigInt(options.nowMs),
    _DELETE_ROW_COUNT: 0n,
    _EMBEDDED_FILE_INDEX: null,
    _FILE_SOURCE: 0,
    _VALUE_STATS_COLS: null,
    _EXTERNAL_PATH: null,
    _FIRST_ROW_ID: null,
    _WRITE_COLS: null,
  };
}
