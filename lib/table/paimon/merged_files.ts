/**
 * Writing sorted runs anew as one: of every key its newest version, with the sequence number and kind it was written with.
 *
 * Rows never pass through JavaScript. The newest versions are found among the key columns alone; the wide rows are then
 * joined to them and sorted one output file at a time, so what must be held at once is bounded by the file size (the keys
 * may spill).
 */
import type { Connection } from "../../engine/connection.ts";
import { identifier } from "../../engine/quote.ts";
import { failPoint } from "../../fail_point.ts";
import { writeParquet } from "../parquet.ts";
import { serializeRow } from "./binary_row.ts";
import { bucketColumn } from "./deleted_keys.ts";
import {
  type FilePlace,
  fileRowsSql,
  kindColumn,
  presentKinds,
  readableFiles,
  type ReadablePlace,
  sequenceColumn,
} from "./file_rows_sql.ts";
import { type KeyColumn, keyColumns, keyOrderSql } from "./key_columns.ts";
import { keyItems, type KeyRange, keyRanges } from "./key_ranges.ts";
import { additionOf } from "./manifest.ts";
import { dataFileName, fileRecord, requireRows, type WrittenFile } from "./new_file.ts";
import { Partitioning, type Place } from "./partitioning.ts";
import { keyInPartition, type PaimonSchema } from "./schema.ts";
import { keyStatistics } from "./statistics.ts";
import type { LiveFile, PaimonState } from "./table_state.ts";

/** Column of the newest keys that holds the number of the file they go to. */
const partColumn = "_weir_part";

/** Files of one place that become others, and where those go: to buckets of the same partition. */
export interface MergedRun {
  readonly files: readonly LiveFile[];
  /** Schema that is written: the newest. */
  readonly schema: PaimonSchema;
  readonly dropsDeletions: boolean;
  readonly level: number;
  readonly totalBuckets: number;
  readonly from: Pick<Place, "partition">;
  /** SQL over the key columns giving the bucket of a row. */
  readonly bucket: string;
  readonly targetFileBytes: number;
}

/** What writing works with. */
export interface MergeOptions extends FilePlace {
  readonly connection: Connection;
  readonly nowMs: number;
}

/** One file to come. */
interface Part extends KeyRange {
  readonly part: bigint;
  readonly bucket: number;
  readonly rows: bigint;
  readonly deletedRows: bigint;
  readonly sequences: { readonly min: bigint; readonly max: bigint };
}

/** Writes the merged files; those that are done are in `written` also where it fails. */
export async function writeMerged(
  state: PaimonState,
  run: MergedRun & { readonly options: MergeOptions; readonly written: WrittenFile[] },
): Promise<void> {
  const { connection } = run.options;
  const key = keyColumns(run.schema.fields, keyInPartition(run.schema));
  const newest = `weir_paimon_newest_${crypto.randomUUID().replaceAll("-", "")}`;
  using readable = await readableFiles(run.options, run.files);
  const place = { readable, layout: run.options.layout };
  try {
    await connection.run(`CREATE TEMP TABLE ${newest} AS ${newestSql(state, { ...run, key, place })}`);
    const parts = await partsOf(connection, { newest, key });
    const first = run.written.length;
    for (const part of parts) {
      await failPoint("paimon.beforeMergedFile");
      run.written.push(...await writePart(state, { ...run, key, place, newest, part }));
    }
    requireRows(run.written.slice(first), parts.reduce((sum, { rows }) => sum + rows, 0n));
  } finally {
    await connection.run(`DROP TABLE IF EXISTS ${newest}`);
  }
}

/** The newest versions' keys with the file they go to: in key order, files of one size. */
function newestSql(state: PaimonState, run: MergedRun & Merging): string {
  const { key, files, schema, dropsDeletions, targetFileBytes } = run;
  const fields = schema.fields.filter((field) => key.some(({ name }) => name === field.name));
  const versions = fileRowsSql(state, { files, fields, versions: true, place: run.place });
  const names = columnList(key);
  const [sequence, kind] = [identifier(sequenceColumn), identifier(kindColumn)];
  const bytes = files.reduce((sum, file) => sum + Number(file.bytes), 0);
  const pieces = Math.max(1, Math.round(bytes / targetFileBytes));
  const newest = `SELECT ${names}, max(${sequence}) AS ${sequence}, arg_max(${kind}, ${sequence}) AS ${kind}
    FROM (${versions}) GROUP BY ${names}`;
  const kept = `SELECT *, ${run.bucket} AS ${bucketColumn} FROM (${newest})
    ${dropsDeletions ? `WHERE ${presentKinds}` : ""}`;
  const share = pieces === 1
    ? "0::BIGINT"
    : `(row_number() OVER (PARTITION BY ${bucketColumn} ORDER BY ${names}) - 1) * ${pieces} // count(*) OVER ()`;
  return `SELECT *, ${bucketColumn}::BIGINT * ${pieces} + ${share} AS ${partColumn} FROM (${kept})`;
}

/** What every step works with. */
interface Merging {
  readonly key: readonly KeyColumn[];
  readonly place: ReadablePlace;
  readonly options: MergeOptions;
}

async function partsOf(
  connection: Connection,
  { newest, key }: { readonly newest: string; readonly key: readonly KeyColumn[] },
): Promise<readonly Part[]> {
  const sequence = identifier(sequenceColumn);
  const columns = [`${partColumn} AS part`, bucketColumn, sequence, identifier(kindColumn)];
  const found = await keyRanges(connection, {
    rows: `SELECT ${[...columns, keyItems(key)].join(", ")} FROM ${newest}`,
    by: ["part"],
    arity: key.length,
    aggregates: [
      `any_value(${bucketColumn}) AS bucket, count(*) AS rows`,
      `count(*) FILTER (NOT ${presentKinds}) AS deleted`,
      `min(${sequence}) AS lowest, max(${sequence}) AS highest`,
    ],
  });
  return found.map(({ row, range, bounds }) => ({
    range,
    bounds,
    part: row.part as bigint,
    bucket: row.bucket as number,
    rows: row.rows as bigint,
    deletedRows: row.deleted as bigint,
    sequences: { min: row.lowest as bigint, max: row.highest as bigint },
  }));
}

async function writePart(
  state: PaimonState,
  work: MergedRun & Merging & { readonly newest: string; readonly part: Part },
): Promise<readonly WrittenFile[]> {
  const { options, schema, part, key } = work;
  const place = new Partitioning(schema).place(work.from.partition, part.bucket);
  const path = options.layout.data(place, dataFileName());
  const select = partSql(state, work);
  const file = await writeParquet(options.connection, { storage: options.storage, path, select });
  if (file === undefined) return [];
  const types = key.map(({ type }) => type);
  const record = {
    ...fileRecord(file, schema, options),
    _MIN_KEY: serializeRow(types, part.range.min),
    _MAX_KEY: serializeRow(types, part.range.max),
    _KEY_STATS: keyStatistics(key, part.bounds),
    _MIN_SEQUENCE_NUMBER: part.sequences.min,
    _MAX_SEQUENCE_NUMBER: part.sequences.max,
    _DELETE_ROW_COUNT: part.deletedRows,
    _LEVEL: work.level,
    _FILE_SOURCE: 1,
  };
  return [{ path, entry: additionOf(record, { place, totalBuckets: work.totalBuckets }) }];
}

function partSql(
  state: PaimonState,
  { files, schema, key, newest, part, place }: MergedRun & Merging & { newest: string; part: Part },
): string {
  const rows = fileRowsSql(state, { files, fields: schema.fields, versions: true, place });
  const names = columnList(key);
  return `SELECT * FROM (${rows})
    SEMI JOIN (SELECT ${names}, ${
    identifier(sequenceColumn)
  } FROM ${newest} WHERE ${partColumn} = ${part.part}) AS newest
    USING (${names}, ${identifier(sequenceColumn)}) ORDER BY ${keyOrderSql(key)}`;
}

function columnList(key: readonly KeyColumn[]): string {
  return key.map(({ name }) => identifier(name)).join(", ");
}
