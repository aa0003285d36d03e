/**
 * A lake opened for statements: its tables under their names, files of some folders, and nothing that writes.
 *
 * Promise: a statement either reads or is refused before it runs. All statements of a session see the snapshots of when it was opened.
 */
import { type DuckDBDataChunk, type DuckDBType, StatementType } from "@duckdb/node-api";
import type { Connection } from "../engine/connection.ts";
import { Database } from "../engine/database.ts";
import { literal } from "../engine/quote.ts";
import { formatOrder, LakeTables, type TableInLake } from "../notebook/lake_table.ts";
import { runQuery } from "../notebook/query.ts";
import { SqlPart } from "../notebook/sql_part.ts";
import { openLake, type OpenLakeOptions } from "../query/lake.ts";
import type { DamagedTable } from "../query/lake_folders.ts";
import { interrupted, statementError } from "./statement_error.ts";
import { isBlank } from "./statement_text.ts";
import { requireOnlyReading, type StatementParts, statementParts } from "../notebook/statement_parts.ts";

/** Which lake, at which point, and what the session may use. */
export interface SqlSessionOptions extends Pick<OpenLakeOptions, "storage" | "icebergCatalog" | "at"> {
  /** Absolute; the lake's, and those whose files statements may read. */
  readonly folders: readonly string[];
  /** For what does not fit into memory; absolute, and the session's own. */
  readonly temporaryFolder: string;
  readonly memoryLimitBytes: number;
  readonly threads: number;
  /** Makes tables of elsewhere there before a statement that names them runs. Default: there are none. */
  readonly bringTables?: (parts: StatementParts, connection: Connection, signal: AbortSignal) => Promise<void>;
}

/** The rows of a statement, to be read once. */
export interface StatementRows {
  /** Different ones. */
  readonly names: readonly string[];
  readonly types: readonly DuckDBType[];
  /** About 2,048 rows each. Ending early ends the query. */
  readonly chunks: AsyncIterable<DuckDBDataChunk>;
}

/** An open lake for statements. */
export class SqlSession implements Disposable {
  /** One of each name, sorted. */
  readonly tables: readonly TableInLake[];
  /** Tables that cannot be read: a sentence on each. */
  readonly notes: readonly string[];
  readonly #damageNamed: LakeTables["damageNamed"];
  readonly #database: Database;
  readonly #connection: Connection;
  readonly #options: SqlSessionOptions;

  private constructor(
    options: SqlSessionOptions,
    { database, connection, tables }: {
      readonly database: Database;
      readonly connection: Connection;
      readonly tables: LakeTables;
    },
  ) {
    this.tables = tables.named;
    this.notes = tables.notes;
    this.#damageNamed = (parts) => tables.damageNamed(parts);
    this.#options = options;
    this.#database = database;
    this.#connection = connection;
  }

  /** Opens it. Throws what `openLake` of `lib/query` throws. */
  static async open(options: SqlSessionOptions): Promise<SqlSession> {
    using open = new DisposableStack();
    const database = open.adopt(await Database.open(options), (opened) => opened.close());
    await options.icebergCatalog?.connect();
    const connection = await database.connect();
    const { at = "newest", storage, icebergCatalog } = options;
    const damaged: DamagedTable[] = [];
    const onDamaged = (table: DamagedTable) => void damaged.push(table);
    const views = await openLake({ storage, icebergCatalog, connection, at, onDamaged });
    const tables = new LakeTables(views, { formats: formatOrder, damaged });
    await tables.nameIn(connection);
    open.move();
    return new SqlSession(options, { database, connection, tables });
  }

  /**
   * Runs a statement up to its first rows and hands its rows to `use`.
   *
   * Throws `configuration` with the place where it is wrong or would write, `interrupted` once the signal aborts.
   */
  async run<T>(statement: string, signal: AbortSignal, use: (rows: StatementRows) => Promise<T>): Promise<T> {
    return await this.#checked(statement, signal, async (connect) => {
      using running = await runQuery({ database: { connect }, part: new SqlPart([statement]) });
      const { names, types } = running;
      return await use({ names, types, chunks: chunksOf(running.next) });
    });
  }

  /** Writes the rows of a statement into a new file of a folder of the session, and counts them. Throws as {@linkcode run}. */
  async writeParquet(statement: string, path: string, signal: AbortSignal): Promise<number> {
    return await this.#checked(statement, signal, async (connect) => {
      using open = new DisposableStack();
      const connection = open.adopt(await connect(), (connected) => connected.close());
      await connection.exclusively(async (native) => {
        const found = await native.extractStatements(statement);
        const only = found.count === 1 ? await found.prepare(0) : undefined;
        if (only?.statementType !== StatementType.SELECT) {
          throw new TypeError("Cannot run what is not one statement that reads");
        }
      });
      const text = statement.replace(/[\s;]+$/, "");
      // A comment at its end ends with its line.
      return await connection.run(`COPY (${text}\n) TO ${literal(path)} (FORMAT parquet, COMPRESSION zstd)`);
    });
  }

  async #checked<T>(
    statement: string,
    signal: AbortSignal,
    work: (connect: () => Promise<Connection>) => Promise<T>,
  ): Promise<T> {
    try {
      signal.throwIfAborted();
      if (isBlank(statement)) throw new TypeError("Cannot run a statement that is empty");
      const parts = await statementParts(this.#connection, statement);
      requireOnlyReading(parts);
      const damage = this.#damageNamed(parts);
      if (damage !== undefined) throw damage;
      await this.#options.bringTables?.(parts, this.#connection, signal);
      using stack = new DisposableStack();
      return await work(async () => stoppedBy(signal, stack, await this.#database.connect()));
    } catch (thrown) {
      if (signal.aborted) throw interrupted(thrown);
      throw statementError(thrown, statement);
    }
  }

  /** Runs one of ours that gives few rows. */
  async rows(sql: string): ReturnType<Connection["rows"]> {
    return await this.#connection.rows(sql);
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}

function stoppedBy(signal: AbortSignal, stack: DisposableStack, connection: Connection): Connection {
  if (signal.aborted) connection.close();
  signal.throwIfAborted();
  const stop = () => void stack.use(connection.keepInterrupting());
  signal.addEventListener("abort", stop);
  stack.defer(() => signal.removeEventListener("abort", stop));
  return connection;
}

async function* chunksOf(next: () => Promise<DuckDBDataChunk | undefined>): AsyncGenerator<DuckDBDataChunk, void> {
  for (let chunk = await next(); chunk !== undefined; chunk = await next()) yield chunk;
}
