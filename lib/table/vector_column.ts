/**
 * Vectors into a Parquet file beside what DuckDB wrote of the same rows.
 *
 * Why: DuckDB walks through lists number by number, several times; at 128 numbers that was half of the cost of a row of 70
 * columns (tests/bench/results.md). So it writes the file without them; they are read out of it in a second pass and
 * appended, and the footer then says where they are.
 *
 * Promise: every row has the vector that belongs to it. Where the second pass gives rows in another order than the file has, or
 * a vector that this way of writing does not hold, nothing is claimed: the caller writes the file whole.
 */
import { type DuckDBConnection, type DuckDBDataChunk, DuckDBListVector } from "@duckdb/node-api";
import type { TableDefinition } from "../dataset/dataset.ts";
import type { Connection } from "../engine/connection.ts";
import { identifier, literal } from "../engine/quote.ts";
import { storageError, WeirError } from "../errors.ts";
import type { ColumnStatistics } from "../engine/column_statistics.ts";
import { writeAll } from "../storage/write_all.ts";
import { type ListPage, listPage, type Lists } from "./list_page.ts";
import { type ColumnChunk, readFooter, replaceColumn, rowsOfGroups, writeFooter } from "./parquet_footer.ts";

/** Columns of a file that belong together. */
export interface VectorColumns {
  /** `FLOAT[]`. */
  readonly vector: string;
  /** What the vector is of: rows that agree in it have the same vector. */
  readonly of: string;
}

/** The vectors of rows, under the names that files have; undefined where rows or files lack one of both columns. */
export function vectorColumns(
  { columns }: Pick<TableDefinition, "columns">,
  fileName: (column: string) => string | undefined = (column) => column,
): VectorColumns | undefined {
  const column = columns.find(({ vectorOf }) => columns.some(({ name }) => name === vectorOf));
  if (column?.vectorOf === undefined) return undefined;
  const [vector, of] = [fileName(column.name), fileName(column.vectorOf)];
  return vector === undefined || of === undefined ? undefined : { vector, of };
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
  const write = (bytes: Uint8Array) =>
    writeAll(file, bytes).catch((thrown) => {
      throw storageError(thrown, target.file);
    });
  const column = new ColumnWriter(write, { startBytes, groupRows: rowsOfGroups(metadata) });
  const { vector, of } = target.columns;
  const query = `SELECT ${identifier(vector)}, coalesce(len(${identifier(vector)}), -1)::INTEGER, ${rowSql(of)}
    FROM (${target.select})`;
  const isWhole = await connection.exclusively((native) => copyVectors(native, { query, rows, column }));
  if (!isWhole) return undefined;
  column.chunks.forEach((chunk, group) => replaceColumn(metadata, { group, name: vector, chunk }));
  const { bytes, values, nulls } = sums(column.chunks);
  const fileBytes = await writeFooter(file, { startBytes: startBytes + bytes, metadata });
  const statistics = { bytes: BigInt(bytes), values: BigInt(values), nulls: BigInt(nulls) };
  return { fileBytes: BigInt(fileBytes), statistics };
}

/** Tells a row from those of other vectors, in 52 bits: a whole number that a double holds. */
function rowSql(of: string): string {
  return `(hash(${identifier(of)}) >> 12)::DOUBLE`;
}

/** What the file's rows are, in their order. */
async function readRows(connection: Connection, { file, columns }: VectorTarget): Promise<Float64Array> {
  const found: Float64Array[] = [];
  const query = `SELECT ${rowSql(columns.of)} FROM read_parquet(${literal(file)}, hive_partitioning = false)`;
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
  copy: { readonly query: string; readonly rows: Float64Array; readonly column: ColumnWriter },
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
  return { lengths, numbers, starts };
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

/** Written at once: each wait for the disk is also one for everybody else's turn. */
const writtenBytes = 8 * 2 ** 20;

/** Pages one after another, and what they come to in each row group. */
class ColumnWriter {
  readonly chunks: ColumnChunk[] = [];
  readonly #write: (bytes: Uint8Array) => Promise<void>;
  readonly #groupRows: readonly number[];
  #place: number;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  /** Rows that the last row group lacks. */
  #left = 0;

  constructor(
    write: (bytes: Uint8Array) => Promise<void>,
    at: { readonly startBytes: number; readonly groupRows: readonly number[] },
  ) {
    this.#write = write;
    this.#groupRows = at.groupRows;
    this.#place = at.startBytes;
  }

  /** A page never reaches into the next row group. */
  async write({ lengths, starts, numbers }: Lists): Promise<void> {
    for (let first = 0; first < lengths.length;) {
      if (this.#left === 0) this.#begin();
      const [from, end] = [first, Math.min(lengths.length, first + this.#left)];
      this.#add(listPage({ lengths: lengths.subarray(from, end), starts: (list) => starts(from + list), numbers }));
      this.#left -= end - from;
      first = end;
    }
    if (this.#waitingBytes >= writtenBytes) await this.flush();
  }

  /** Writes what waits for it. */
  async flush(): Promise<void> {
    this.#waitingBytes = 0;
    for (const bytes of this.#waiting.splice(0)) await this.#write(bytes);
  }

  #begin(): void {
    const rows = this.#groupRows[this.chunks.length];
    if (rows === undefined) throw new WeirError("internal", "There are more vectors than rows of a Parquet file");
    this.chunks.push({ startBytes: this.#place, bytes: 0, values: 0, nulls: 0 });
    this.#left = rows;
  }

  #add({ bytes, values, nulls }: ListPage): void {
    const chunk = this.chunks.pop()!;
    this.chunks.push({ ...chunk, ...sums([chunk, { bytes: bytes.length, values, nulls }]) });
    this.#place += bytes.length;
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
  }
}

type Figures = Omit<ColumnChunk, "startBytes">;

function sums(parts: readonly Figures[]): Figures {
  const sum = (figure: keyof Figures) => parts.reduce((total, part) => total + part[figure], 0);
  return { bytes: sum("bytes"), values: sum("values"), nulls: sum("nulls") };
}
