/** One DuckDB connection, and the ways we ask it for things. */
import type { DuckDBConnection, DuckDBDataChunk, DuckDBValue } from "@duckdb/node-api";
import { storageError, WeirError } from "../errors.ts";
import { Turns } from "./turns.ts";

/** One row of a small result, by column name. 64-bit integers arrive as `bigint`. */
export type Row = Readonly<Record<string, DuckDBValue>>;

/**
 * A connection.
 *
 * Promise: what is asked of it at the same time is done one after another. DuckDB itself does not see to that: a second
 * statement fails the first, or cuts off, without a word, a result that is read piece by piece.
 */
export class Connection {
  readonly #native: DuckDBConnection;
  readonly #turns = new Turns();
  /** Absolute; the engine may read and write there. */
  readonly temporaryFolder: string;

  constructor(native: DuckDBConnection, temporaryFolder: string) {
    this.#native = native;
    this.temporaryFolder = temporaryFolder;
  }

  /**
   * Has the connection to itself: for results that are read piece by piece, and for appenders. The work must not ask this
   * {@linkcode Connection} for anything, for that would wait for the work's own end.
   */
  async exclusively<T>(work: (native: DuckDBConnection) => T | Promise<T>): Promise<T> {
    try {
      return await this.#turns.take(() => work(this.#native));
    } catch (thrown) {
      throw engineError(thrown);
    }
  }

  /** Hands over a result piece by piece, so that it is never in memory whole. */
  async eachChunk(sql: string, take: (chunk: DuckDBDataChunk) => void): Promise<void> {
    await this.exclusively(async (native) => {
      const result = await native.stream(sql);
      for (let chunk = await result.fetchChunk(); chunk?.rowCount; chunk = await result.fetchChunk()) take(chunk);
    });
  }

  /** Runs a statement for its effect and gives the number of rows it changed. */
  async run(sql: string): Promise<number> {
    return await this.exclusively(async (native) => (await native.run(sql)).rowsChanged);
  }

  /** Reads a small result whole. */
  async rows(sql: string): Promise<readonly Row[]> {
    return await this.exclusively(async (native) => (await native.runAndReadAll(sql)).getRowObjects() as Row[]);
  }

  /** First column of the first row. Undefined where there is no row. */
  async value(sql: string): Promise<DuckDBValue | undefined> {
    const [row] = await this.rows(sql);
    return row && Object.values(row)[0];
  }

  /**
   * Makes the statement under way fail, and each that begins before this is disposed. Told once, DuckDB goes on with what it has
   * not begun by then as if nothing were said.
   */
  keepInterrupting(): Disposable {
    this.#native.interrupt();
    const again = setInterval(() => this.#native.interrupt(), interruptEveryMs);
    return { [Symbol.dispose]: () => clearInterval(again) };
  }

  /** Frees the connection. */
  close(): void {
    this.#native.closeSync();
  }
}

const interruptEveryMs = 50;

/** What the engine says of a Parquet file that is not there, or is none. */
const damagedFile = /No such file|No files found|No magic bytes|too small to be a Parquet file/;
/** What it says of a file or folder that it may not or cannot use. */
const refusedFile = /no space left|disk quota|Cannot open file|Could not write/i;

/** Trouble with disk, memory or a file is an error of ours whoever meets it; everything else passes as it came. */
function engineError(thrown: unknown): unknown {
  const text = String(thrown);
  const path = /["']([^"']+\.parquet)["']/.exec(text)?.[1];
  if (path !== undefined && damagedFile.test(text)) {
    const message = `Cannot read ${path}: it is damaged or missing`;
    return new WeirError("tableUnreadable", message, { cause: thrown, detail: { path } });
  }
  if (refusedFile.test(text)) return storageError(thrown, path ?? "engine");
  if (!/^(Error: )?Out of Memory/i.test(text)) return thrown;
  return new WeirError("configuration", "DuckDB needs more memory than it may use", {
    cause: thrown,
    advice: "Raise --memory-limit (a single row may need four times its size), or lower --max-value-bytes",
  });
}
