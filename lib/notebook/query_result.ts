/**
 * The result of a query, as notebooks have it.
 *
 * Promise: what has run without an error has its first rows. Of more than 8,192 only those that are shown
 * stay in memory: who asks for all rows has the query run once more, chunk by chunk, against the same snapshots; a query that is not the same
 * twice (`random()`, a LIMIT without ORDER BY) is kept by {@linkcode QueryResult.cached}. A result can be put into other SQL.
 */
import type { DuckDBDataChunk, DuckDBType, DuckDBValue } from "@duckdb/node-api";
import type { Table } from "apache-arrow";
import { isPlan, planBundle } from "./plan_display.ts";
import { numericValue, type PlainRow, plainValue } from "./plain_value.ts";
import { saveRows } from "./saved_rows.ts";
import { asTable, type Query, type RunningQuery, runQuery, writeRows } from "./query.ts";
import { asSql, identifier, type InSql, sql, type SqlPart } from "./sql_part.ts";
import { display, type Displayed, type MediaBundle, mostShownRows, tableBundle } from "./table_display.ts";

/** A column of a result. */
export interface ResultColumn {
  readonly name: string;
  /** DuckDB's name of its type, such as `DECIMAL(18,2)`. */
  readonly type: string;
}

/** Those of the columns that have one of these names, as SQL has them. */
export function columnsNamed(names: readonly string[], columns: readonly ResultColumn[]): readonly SqlPart[] {
  const wanted = names.map((name) => name.toLowerCase());
  return columns.filter(({ name }) => wanted.includes(name.toLowerCase())).map(({ name }) => identifier(name));
}

/** How many rows may come at once, and what numbers are. */
export interface RowsOptions {
  /** More rows than this are refused rather than read into memory. Default 100,000. */
  readonly most?: number;
  /** Whether 64-bit integers and decimals become numbers, rounded where they have to be. Default false. */
  readonly numeric?: boolean;
}

/** Results of fewer rows are held whole. */
const heldRows = 8192;
const heldChunks = 64;
const defaultMostRows = 100_000;

/** What a result has of its rows. */
interface Held {
  readonly names: readonly string[];
  readonly types: readonly DuckDBType[];
  readonly chunks: readonly DuckDBDataChunk[];
  /** Whether these are all. */
  readonly isWhole: boolean;
}

let cachedResults = 0;

/** A result; see above. Iterating over it gives plain rows, a chunk's at a time. */
export class QueryResult implements InSql, Displayed, AsyncIterable<readonly PlainRow[]> {
  readonly columns: readonly ResultColumn[];
  readonly #query: Query;
  readonly #held: Held;
  /** Sentences that are shown below it. */
  readonly #notes: readonly string[];
  #rowCount: Promise<bigint> | undefined;

  private constructor(query: Query, held: Held, notes: readonly string[]) {
    this.columns = held.names.map((name, index) => ({ name, type: String(held.types[index]) }));
    this.#query = query;
    this.#held = held;
    this.#notes = notes;
  }

  /**
   * Runs a query up to its first rows. Throws `tableUnreadable` where a file of a table is damaged, and what DuckDB says of SQL that
   * it cannot run.
   *
   * @throws {TypeError} If it is not one statement that reads.
   */
  static async of(query: Query, notes: readonly string[] = []): Promise<QueryResult> {
    using running = await runQuery(query);
    const { names, types } = running;
    return new QueryResult(query, { names, types, ...await firstChunks(running) }, notes);
  }

  /** Its rows as a table of other SQL: `` lake.sql`SELECT … FROM ${result}` ``. */
  get [asSql](): SqlPart {
    return asTable(this.#query.part);
  }

  /** How many rows there are; counted once, and without computing what they hold where DuckDB can avoid it. */
  rowCount(): Promise<bigint> {
    const { chunks, isWhole } = this.#held;
    if (isWhole) return Promise.resolve(BigInt(chunks.reduce((rows, chunk) => rows + chunk.rowCount, 0)));
    return this.#rowCount ??= this.#count();
  }

  async #count(): Promise<bigint> {
    using running = await runQuery({ ...this.#query, part: sql`SELECT count(*) FROM ${this}` });
    return (await running.next())?.getColumnVector(0).getItem(0) as bigint;
  }

  /**
   * All rows, values by column: see {@linkcode plainValue}.
   *
   * @throws {RangeError} If there are more than `most`.
   */
  async rows({ most = defaultMostRows, numeric = false }: RowsOptions = {}): Promise<readonly PlainRow[]> {
    const rows: PlainRow[] = [];
    for await (const chunk of this.chunks()) {
      if (rows.length + chunk.rowCount > most) {
        throw new RangeError(`Cannot read more than ${most} rows at once: aggregate, iterate by chunks, or raise most`);
      }
      for (const row of this.#plainRows(chunk, numeric)) rows.push(row);
    }
    return rows;
  }

  /** DuckDB's own chunks of about 2,048 rows, each read when it is asked for: the fastest way to all values. */
  async *chunks(): AsyncGenerator<DuckDBDataChunk, void> {
    if (this.#held.isWhole) return yield* this.#held.chunks;
    using running = await runQuery(this.#query);
    for (let chunk = await running.next(); chunk !== undefined; chunk = await running.next()) yield chunk;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<readonly PlainRow[], void> {
    for await (const chunk of this.chunks()) yield this.#plainRows(chunk, false);
  }

  #plainRows(chunk: DuckDBDataChunk, numeric: boolean): PlainRow[] {
    const plain = numeric ? numericValue : plainValue;
    const { names } = this.#held;
    return chunk.getRows().map((row) => Object.fromEntries(row.map((value, index) => [names[index]!, plain(value)])));
  }

  /**
   * All rows as an Arrow table, in memory. Numbers, instants and vectors are copied a chunk's column at a time, texts and bytes value by
   * value; what Arrow has no simple type for (intervals, structs, maps) becomes text.
   */
  async toArrow(): Promise<Table> {
    const { arrowTable } = await import("./arrow_table.ts");
    return await arrowTable({ ...this.#held, chunks: this.chunks() });
  }

  /**
   * The same rows, computed once and kept by DuckDB until the lake is closed, on disk where they do not fit into its memory. For what is
   * asked for again and again, and for what is not the same twice.
   */
  async cached(): Promise<QueryResult> {
    const table = identifier(`weir_result_${++cachedResults}`);
    await writeRows(this.#query, table);
    return await QueryResult.of({ ...this.#query, part: sql`SELECT * FROM ${table}` }, this.#notes);
  }

  /**
   * Writes all rows into a file, whole or not at all, in place of one that was there; folders that are missing are made. Returns how
   * many rows there were.
   *
   * @param path Ends with `.parquet` or `.csv`; a relative one counts from the working directory.
   *
   * Throws `configuration` for another ending, `storage` and `storageFull` where it cannot be written.
   */
  async save(path: string): Promise<number> {
    return await saveRows(this.#query, path);
  }

  async [display](): Promise<MediaBundle> {
    const { names, types, chunks } = this.#held;
    if (isPlan(names)) {
      return planBundle(chunks.map((chunk) => chunk.getColumnValues(1)));
    }
    return tableBundle({
      columns: names.map((name, index) => ({ name, type: types[index]! })),
      rows: chunks.flatMap(rowsOf).slice(0, mostShownRows),
      totalRows: await this.rowCount(),
      notes: this.#notes,
    });
  }
}

/** All chunks where they are few; else those that are shown. */
async function firstChunks(running: RunningQuery): Promise<Pick<Held, "chunks" | "isWhole">> {
  const chunks: DuckDBDataChunk[] = [];
  for (let rows = 0; rows <= heldRows && chunks.length < heldChunks;) {
    const chunk = await running.next();
    if (chunk === undefined) return { chunks, isWhole: true };
    chunks.push(chunk);
    rows += chunk.rowCount;
  }
  let [shown, rows] = [0, 0];
  while (rows < mostShownRows && shown < chunks.length) rows += chunks[shown++]!.rowCount;
  return { chunks: chunks.slice(0, shown), isWhole: false };
}

/** Only as many as can be shown: of a chunk of vectors that saves turning all of them into values. */
function rowsOf(chunk: DuckDBDataChunk): readonly (readonly DuckDBValue[])[] {
  return Array.from({ length: Math.min(chunk.rowCount, mostShownRows) }, (_, row) => chunk.getRowValues(row));
}
