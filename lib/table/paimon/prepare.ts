/**
 * Writing a change's data files: one sorted level-0 file for each place of a keyed table that it touches, one file for each
 * partition of a table that only grows, one after another. Nothing of it is visible until a snapshot names it.
 */
import type { Relation } from "../../change/relation.ts";
import type { TableChange } from "../../change/sink.ts";
import type { WrittenRows } from "../../change/written_rows.ts";
import type { Connection } from "../../engine/connection.ts";
import { failPoint } from "../../fail_point.ts";
import type { DataFile } from "../data_file.ts";
import { preparedFile, writeParquet } from "../parquet.ts";
import { vectorColumns } from "../vector_column.ts";
import { serializeRow } from "./binary_row.ts";
import { bucketSql } from "./bucket_sql.ts";
import { makeDeletedKeys } from "./deleted_keys.ts";
import { identifier } from "../../engine/quote.ts";
import type { FilePlace } from "./file_rows_sql.ts";
import { keyColumns, keyOrderSql } from "./key_columns.ts";
import { additionOf, deletionOf, type FileRecord, type ManifestEntry, mergeEntries } from "./manifest.ts";
import type { MetadataReader } from "./metadata_reader.ts";
import { Partitioning, type Place } from "./partitioning.ts";
import { dataFileName, fileRecord, requireRows, type WrittenFile } from "./new_file.ts";
import { isInKeyOrder, partitionsOf, type PlacePart, routeChange } from "./routing.ts";
import { type NewRows, newRowsSql, upsertColumns } from "./new_rows_sql.ts";
import type { PreparedChange } from "./prepared.ts";
import { bucketCount, bucketKey, keyInPartition, type PaimonSchema } from "./schema.ts";
import { placeOrderSql, sortedRows } from "./sorted_rows.ts";
import { keyStatistics } from "./statistics.ts";
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
  change.shared?.offer?.(await offeredRows(files, { change, schema, options }));
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

/** A file beside what snapshots say of it. */
interface ChangeFile extends WrittenFile {
  readonly data: DataFile;
}

/** The upserts, where one file has all of them and no deleted keys. */
async function offeredRows(
  files: readonly ChangeFile[],
  { change: { upserts }, schema, options }: Omit<Work, "state">,
): Promise<WrittenRows | undefined> {
  const [file, other] = files;
  if (file === undefined || other !== undefined || file.data.rows !== BigInt(upserts?.rows ?? 0)) return undefined;
  if (upserts === undefined || file.entry._FILE._DELETE_ROW_COUNT !== 0n) return undefined;
  const { data: { path, rows, statistics } } = file;
  const columns = upsertColumns(schema, upserts);
  return { file: await preparedFile(options.storage, path), rows, columns, statistics };
}

interface Work {
  readonly state: PaimonState;
  readonly change: TableChange;
  readonly schema: PaimonSchema;
  readonly options: PrepareOptions;
}

async function writeFiles(work: Work): Promise<readonly ChangeFile[]> {
  const written: ChangeFile[] = [];
  try {
    await (work.state.key.length === 0 ? writeAppended(work, written) : writePlaces(work, written));
    return written;
  } catch (thrown) {
    for (const { path } of written) await work.options.storage.delete(path).catch(() => {});
    throw thrown;
  }
}

/** A table without a key: one file for each partition, its rows in any order, in bucket 0 (Paimon: bucket-unaware). */
async function writeAppended(work: Work, written: ChangeFile[]): Promise<void> {
  const { change, schema, options: { connection } } = work;
  if (change.removals !== undefined && change.removals.rows > 0) {
    throw new TypeError("Cannot remove rows from a Paimon table without a key");
  }
  if (change.upserts === undefined || change.upserts.rows === 0) return;
  const partitioning = new Partitioning(schema);
  const places = await partitionsOf(connection, { partitioning, rows: change.upserts });
  const order = places.length > 1 ? placeOrderSql(partitioning) : undefined;
  await using upserts = await sortedRows(connection, { rows: change.upserts, order });
  for (const place of places) {
    if (written.length > 0) await failPoint("paimon.betweenDataFiles");
    const rows = { schema, upserts: upserts.rows, partition: partitioning.conditionSql(place.partition) };
    await writePartition(work, { place, rows, written });
  }
  requireRows(written, BigInt(change.upserts.rows));
}

async function writePartition(
  { state, schema, options }: Work,
  { place, rows, written }: { readonly place: Place; readonly rows: NewRows; readonly written: ChangeFile[] },
): Promise<void> {
  const path = options.layout.data(place, dataFileName());
  const { storage, connection } = options;
  const vectors = rows.upserts && vectorColumns(rows.upserts);
  const file = await writeParquet(connection, { storage, path, select: newRowsSql(rows), vectors });
  if (file === undefined) return;
  const first = (state.sequenceNumbers.get(place.id) ?? -1n) + 1n;
  const record: FileRecord = {
    ...fileRecord(file, schema, options),
    _MIN_SEQUENCE_NUMBER: first,
    _MAX_SEQUENCE_NUMBER: first + file.rows - 1n,
  };
  written.push({ path, data: file, entry: additionOf(record, { place, totalBuckets: -1 }) });
}

async function writePlaces(work: Work, written: ChangeFile[]): Promise<void> {
  const { state, change, schema, options: { connection } } = work;
  const buckets = bucketCount(schema);
  const partitioning = new Partitioning(schema);
  const key = keyColumns(schema.fields, schema.primaryKeys);
  const bucket = await bucketSql(keyColumns(schema.fields, bucketKey(schema)), { buckets, connection });
  const deletedKeys = await makeDeletedKeys(state, { connection, place: work.options, schema, key, bucket, change });
  try {
    const relations = {
      ...(change.upserts === undefined ? {} : { upserts: change.upserts }),
      ...(deletedKeys === undefined ? {} : { deletedKeys }),
    };
    const inPartition = keyColumns(schema.fields, keyInPartition(schema));
    const parts = await routeChange({ connection, partitioning, key: inPartition, bucket, ...relations });
    await using upserts = await orderedUpserts(work, { bucket, parts, partitioning });
    for (const part of parts) {
      if (written.length > 0) await failPoint("paimon.betweenDataFiles");
      const partition = partitioning.conditionSql(part.place.partition);
      const rows = { schema, bucket, deletedKeys, partition, ...(upserts.rows && { upserts: upserts.rows }) };
      await writePlace({ work, part, rows, isOrdered: upserts.isOrdered }, written);
    }
    requireRows(written, parts.reduce((sum, part) => sum + part.rows, 0n));
  } finally {
    if (deletedKeys !== undefined) await connection.run(`DROP TABLE IF EXISTS ${identifier(deletedKeys)}`);
  }
}

/** The upserts, in place and key order where there are many places to be picked out of them. */
async function orderedUpserts(
  { change: { upserts }, schema, options: { connection } }: Work,
  of: { readonly bucket: string; readonly parts: readonly PlacePart[]; readonly partitioning: Partitioning },
): Promise<{ readonly rows?: Relation; readonly isOrdered: boolean } & AsyncDisposable> {
  if (upserts === undefined) return { isOrdered: false, [Symbol.asyncDispose]: () => Promise.resolve() };
  const isOrdered = await isInKeyOrder(connection, { rows: upserts, key: schema.primaryKeys });
  const isMany = of.parts.length > bucketCount(schema);
  const key = keyOrderSql(keyColumns(schema.fields, keyInPartition(schema)));
  const bucket = bucketCount(schema) === 1 ? [] : [of.bucket];
  const order = isMany ? [placeOrderSql(of.partitioning), ...bucket, key].join(", ") : undefined;
  return { isOrdered: isOrdered || isMany, ...await sortedRows(connection, { rows: upserts, order }) };
}

/**
 * One place's file. All its rows have the same sequence number, one above the place's last: numbers order the versions
 * of one key, and a key stands in a file once.
 */
async function writePlace(
  { work, part, rows, isOrdered }: {
    readonly work: Work;
    readonly part: PlacePart;
    readonly rows: Omit<NewRows, "version">;
    readonly isOrdered: boolean;
  },
  written: ChangeFile[],
): Promise<void> {
  const { state, schema, options } = work;
  const { place } = part;
  const sequenceNumber = (state.sequenceNumbers.get(place.id) ?? -1n) + 1n;
  const select = newRowsSql({ ...rows, version: { part, buckets: bucketCount(schema), sequenceNumber, isOrdered } });
  const path = options.layout.data(place, dataFileName());
  const vectors = rows.upserts && vectorColumns(rows.upserts);
  const file = await writeParquet(options.connection, { storage: options.storage, path, select, vectors });
  if (file === undefined) return;
  const key = keyColumns(schema.fields, keyInPartition(schema));
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
  written.push({ path, data: file, entry: additionOf(record, { place, totalBuckets: bucketCount(schema) }) });
}
