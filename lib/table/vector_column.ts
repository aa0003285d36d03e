/**
 * Vectors into a Parquet file beside what DuckDB wrote of the same rows.
 *
 * Why: DuckDB walks through lists number by number, several times; at 128 numbers that was half of the cost of a row of 70
 * columns (tests/bench/results.md). So it writes the file without them; the pages that they came in are appended, or they are
 * read out of DuckDB in a second pass, and the footer then says where they are.
 *
 * Promise: every row has the vector that belongs to it. Pages are taken only by a file of just their rows in just their order.
 * Where the second pass gives rows in another order than the file has, or a vector that this way of writing does not hold,
 * nothing is claimed: the caller writes the file whole.
 */
import { type DuckDBConnection, type DuckDBDataChunk, DuckDBListVector } from "@duckdb/node-api";
import type { PageGroup, Relation, VectorPages } from "../change/relation.ts";
import type { Connection } from "../engine/connection.ts";
import { identifier, literal } from "../engine/quote.ts";
import { WeirError } from "../errors.ts";
import type { ColumnStatistics } from "../engine/column_statistics.ts";
import { ListColumnWriter, sums, writerTo } from "./list_column.ts";
import type { Lists } from "./list_page.ts";
import { type ColumnChunk, readFooter, replaceColumn, rowsOfGroups, writeFooter } from "./parquet_footer.ts";

/** Columns of a file that belong together. */
export interface VectorColumns {
  /** `FLOAT[]`. */
  readonly vector: string;
  /** What the vector is of: rows that agree in it have the same vector. */
  readonly of: string;
  /** The vectors of the relation that the rows come from. Default: they are read with the rows. */
  readonly pages?: VectorPages;
}

/** The vectors of rows, under the names that files have; undefined where rows or files lack one of both columns. */
export function vectorColumns(
  { definition: { columns }, vectors: pages }: Pick<Relation, "definition" | "vectors">,
  fileName: (column: string) => string | undefined = (column) => column,
): VectorColumns | undefined {
  const column = columns.find(({ vectorOf }) => columns.some(({ name }) => name === vectorOf));
  if (column?.vectorOf === undefined) return undefined;
  const [vector, of] = [fileName(column.name), fileName(column.vectorOf)];
  return vector === undefined || of === undefined ? undefined : { vector, of, ...(pages && { pages }) };
}

/** A file that DuckDB wrote, and where its vectors come from. */
export interface VectorTarget {
  /** Local path. */
  readonly file: string;
  readonly columns: VectorColumns;
  /** The SELECT whose rows the file holds. */
  readonly select: string;
}

/** A file with its vectors. */
export interface PlacedVectors {
  readonly fileBytes: bigint;
  /** Of the numbers, without bounds. */
  readonly statistics: ColumnStatistics;
}

/** The SELECT without its vectors. */
export function withoutVectorsSql(select: string, { vector }: VectorColumns): string {
  return `SELECT * REPLACE (NULL::FLOAT[] AS ${identifier(vector)}) FROM (${select})`;
}

/**
 * Puts the vectors into a file of {@linkcode withoutVectorsSql}.
 *
 * @returns What the file has become; undefined where they could not be put there, and the file is not to be used.
 */
export async function putVectors(connection: Connection, target: VectorTarget): Promise<PlacedVectors | undefined> {
  const rows = await readRows(connection, target);
  using file = await Deno.open(target.file, { read: true, write: true });
  const { startBytes, metadata } = await readFooter(file, target.file);
  await file.seek(startBytes, Deno.SeekMode.Start);
  const write = writerTo(file, target.file);
  const groupRows = rowsOfGroups(metadata);
  const chunks = await takePages(connection, { ...target, startBytes, groupRows, rows, write }) ??
    await readVectors(connection, { ...target, startBytes, groupRows, rows, write });
  if (chunks === undefined) return undefined;
  chunks.forEach((chunk, group) => replaceColumn(metadata, { group, name: target.columns.vector, chunk }));
  const { bytes, values, nulls } = sums(chunks);
  const fileBytes = await writeFooter(file, { startBytes: startBytes + bytes, metadata });
  const statistics = { bytes: BigInt(bytes), values: BigInt(values), nulls: BigInt(nulls) };
  return { fileBytes: BigInt(fileBytes), statistics };
}

/** A file at the place where its vectors go. */
interface OpenTarget extends VectorTarget {
  readonly startBytes: number;
  readonly groupRows: readonly number[];
  /** What the file's rows are. */
  readonly rows: Float64Array;
  readonly write: (bytes: Uint8Array) => Promise<void>;
}

/** The pages that are there already, where the file holds just those rows in just that order; otherwise undefined. */
async function takePages(
  connection: Connection,
  { columns: { pages }, groupRows, rows, startBytes, write }: OpenTarget,
): Promise<readonly ColumnChunk[] | undefined> {
  if (pages === undefined || !isSame(groupRows, pages.groups.map((group) => group.rows))) return undefined;
  const wanted = `SELECT ${rowSql("row_is_of")} FROM (${pages.of}) AS all_rows(row_is_of)`;
  if (!isSame(rows, await numbers(connection, wanted))) return undefined;
  await pages.copyTo(write);
  return chunksAt(startBytes, pages.groups);
}

function isSame(left: ArrayLike<number>, right: ArrayLike<number>): boolean {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index++) if (left[index] !== right[index]) return false;
  return true;
}

function chunksAt(startBytes: number, groups: readonly PageGroup[]): readonly ColumnChunk[] {
  let place = startBytes;
  return groups.map(({ bytes, values, nulls }) => {
    place += bytes;
    return { startBytes: place - bytes, bytes, values, nulls };
  });
}

/** Reads the vectors with the rows, once more; undefined where that gives other rows, or a vector lacks a number. */
async function readVectors(
  connection: Connection,
  { columns: { vector, of }, select, groupRows, rows, startBytes, write }: OpenTarget,
): Promise<readonly ColumnChunk[] | undefined> {
  const column = new ListColumnWriter(write, { startBytes, groupRows });
  const query = `SELECT ${identifier(vector)}, coalesce(len(${identifier(vector)}), -1)::INTEGER, ${rowSql(of)}
    FROM (${select})`;
  const isWhole = await connection.exclusively((native) => copyVectors(native, { query, rows, column }));
  return isWhole ? column.chunks : undefined;
}

/** Tells a row from those of other vectors, in 52 bits: a whole number that a double holds. */
function rowSql(of: string): string {
  return `(hash(${identifier(of)}) >> 12)::DOUBLE`;
}

/** What the file's rows are, in their order. */
function readRows(connection: Connection, { file, columns }: VectorTarget): Promise<Float64Array> {
  const from = `read_parquet(${literal(file)}, hive_partitioning = false)`;
  return numbers(connection, `SELECT ${rowSql(columns.of)} FROM ${from}`);
}

/** A column of doubles. */
async function numbers(connection: Connection, query: string): Promise<Float64Array> {
  const found: Float64Array[] = [];
  await connection.eachChunk(query, (chunk) => void found.push(rowsOf(chunk, 0)));
  const all = new Float64Array(found.reduce((sum, { length }) => sum + length, 0));
  let place = 0;
  for (const some of found) {
    all.set(some, place);
    place += some.length;
  }
  return all;
}

/** False as soon as a row is another than the file's, or its vector lacks a number. */
async function copyVectors(
  native: DuckDBConnection,
  copy: { readonly query: string; readonly rows: Float64Array; readonly column: ListColumnWriter },
): Promise<boolean> {
  const result = await native.stream(copy.query);
  let rows = 0;
  for (let chunk = await result.fetchChunk(); chunk?.rowCount; chunk = await result.fetchChunk()) {
    const lists = listsOf(chunk);
    if (lists === undefined || !rowsOf(chunk, 2).every((row, index) => row === copy.rows[rows + index])) return false;
    await copy.column.write(lists);
    rows += chunk.rowCount;
  }
  await copy.column.flush();
  return rows === copy.rows.length;
}

/** Undefined where a list holds NULL somewhere. */
function listsOf(chunk: DuckDBDataChunk): Lists | undefined {
  const lists = chunk.getColumnVector(0);
  const { items: lengths } = chunk.getColumnVector(1) as unknown as Memory<Int32Array>;
  if (!(lists instanceof DuckDBListVector) || !(lengths instanceof Int32Array)) throw otherMemory();
  const { items: numbers, validity } = lists.childVector as unknown as Memory<Float32Array>;
  if (!(numbers instanceof Float32Array) || validity?.data === undefined) throw otherMemory();
  const starts = (list: number) => lists.getEntryOffset(list);
  const isThere = (number: number) => validity.itemValid(number);
  if (validity.data !== null && !lengths.every((length, list) => all(starts(list), length, isThere))) return undefined;
  return copied({ lengths, numbers, starts });
}

/** A copy of the numbers of the lists: the chunk's memory is gone when the next one comes, and may hold many others. */
function copied({ lengths, numbers, starts }: Lists): Lists {
  const places = new Int32Array(lengths.length);
  let total = 0;
  lengths.forEach((length, list) => {
    places[list] = total;
    total += Math.max(length, 0);
  });
  const copy = new Float32Array(total);
  lengths.forEach((length, list) => {
    if (length > 0) copy.set(numbers.subarray(starts(list), starts(list) + length), places[list]);
  });
  return { lengths, numbers: copy, starts: (list) => places[list]! };
}

function all(first: number, length: number, holds: (index: number) => boolean): boolean {
  for (let index = first; index < first + length; index++) if (!holds(index)) return false;
  return true;
}

/** What the binding's vectors hold but do not declare (1.5.5-r.5); checked before it is used. */
interface Memory<Items> {
  readonly items: Items;
  /** Without data all items are there. */
  readonly validity: { readonly data: BigUint64Array | null; itemValid(index: number): boolean };
}

function otherMemory(): WeirError {
  return new WeirError("internal", "DuckDB's vectors do not give the memory of their numbers");
}

function rowsOf(chunk: DuckDBDataChunk, column: number): Float64Array {
  const { items } = chunk.getColumnVector(column) as unknown as Memory<Float64Array>;
  if (!(items instanceof Float64Array)) throw otherMemory();
  return items;
}
