/**
 * DuckDB, locked down: it sees the folders it is given and nothing else.
 *
 * Promise: memory and threads are bounded, and no statement can leave the allowed folders or lift the lock. DuckDB does not
 * obey Deno's permissions, so this is the only wall there is.
 */
import { DuckDBInstance } from "@duckdb/node-api";
import { Connection } from "./connection.ts";
import { literal } from "./quote.ts";

/** What a database may use. */
export interface DatabaseOptions {
  /** Absolute folders DuckDB may read and write. */
  readonly folders: readonly string[];
  /** Folder for what does not fit into memory; it is allowed too. */
  readonly temporaryFolder: string;
  /** Bytes. Default 640 MiB. */
  readonly memoryLimitBytes?: number;
  /**
   * Threads for one statement. Default 1: work is parallel across connections. With more, a statement of one task leaves its
   * caller spinning while another thread runs it: a fifth of all CPU time on two cores (DuckDB 1.5.5).
   */
  readonly threads?: number;
}

/** An in-memory DuckDB. Its tables are seen by all its connections. */
export class Database {
  readonly #instance: DuckDBInstance;
  readonly #temporaryFolder: string;

  private constructor(instance: DuckDBInstance, temporaryFolder: string) {
    this.#instance = instance;
    this.#temporaryFolder = temporaryFolder;
  }

  /** Opens a database and locks its configuration. */
  static async open(options: DatabaseOptions): Promise<Database> {
    const instance = await DuckDBInstance.create(":memory:");
    const connection = await instance.connect();
    const folders = [...options.folders, options.temporaryFolder].map((folder) => literal(folder));
    await connection.run(`SET memory_limit='${Math.round((options.memoryLimitBytes ?? 640 * 2 ** 20) / 2 ** 20)}MiB'`);
    await connection.run(`SET threads=${options.threads ?? 1}`);
    await connection.run(`SET temp_directory=${literal(options.temporaryFolder)}`);
    await connection.run("SET autoinstall_known_extensions=false");
    await connection.run("SET autoload_known_extensions=false");
    await connection.run("SET GLOBAL TimeZone='UTC'");
    await connection.run("SET parquet_metadata_cache=true");
    // The system caches files already; DuckDB's own copy of them would grow with every table commit, up to the memory limit.
    await connection.run("SET enable_external_file_cache=false");
    await connection.run(`SET allowed_directories=[${folders.join(", ")}]`);
    await connection.run("SET enable_external_access=false");
    await connection.run("SET lock_configuration=true");
    connection.closeSync();
    return new Database(instance, options.temporaryFolder);
  }

  /** A new connection. */
  async connect(): Promise<Connection> {
    return new Connection(await this.#instance.connect(), this.#temporaryFolder);
  }

  /** Frees everything. */
  close(): void {
    this.#instance.closeSync();
  }
}
