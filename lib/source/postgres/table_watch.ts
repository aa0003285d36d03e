/**
 * Looks after what the stream does not speak of: where the server's log ends, tables that were rewritten, dropped or taken out
 * of the publication while nothing else happened to them.
 */
import { WeirError } from "../../errors.ts";
import type { CapturedTable } from "./captured_table.ts";
import { tablesByOid } from "./catalogue.ts";
import type { PostgresConnection } from "./connection.ts";
import { parseLsn } from "./lsn.ts";
import { readPublication } from "./publication.ts";
import type { RelationMemory } from "./relation_memory.ts";
import type { SideConnection } from "./side_connection.ts";
import { qualifiedName } from "./source_table.ts";
import { publishedTable } from "./find_tables.ts";

/** What a {@linkcode TableWatch} works with. */
export interface TableWatchOptions {
  readonly side: SideConnection;
  readonly publication: string;
  readonly generatedColumns: boolean;
  readonly tables: ReadonlyMap<number, CapturedTable>;
  readonly memory: RelationMemory;
  /** A table whose row events do not tell everything. */
  readonly onRecopy: (table: CapturedTable, reason: string) => void;
  /** A table of which no more row events come. */
  readonly onFailure: (error: WeirError) => void;
}

const pollMs = 1000;
/** The publication is asked for once in so many polls: its view is slow where there are many tables. */
const pollsPerPublication = 10;

/** Watches while a stream runs. */
export class TableWatch {
  /** End of the server's log as of the last poll. */
  walEndLsn = 0n;
  /** Quiet changes told so far. */
  told = 0;
  readonly #options: TableWatchOptions;
  #timer: ReturnType<typeof setInterval> | undefined;
  #polls = 0;
  #running = false;

  constructor(options: TableWatchOptions) {
    this.#options = options;
  }

  /** Begins with a look, and resolves after it. */
  async start(): Promise<void> {
    this.#timer = setInterval(() => void this.#poll(), pollMs);
    await this.#poll();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** A poll that cannot be made is left out: the stream's own connection says what is wrong, and when it is over. */
  async #poll(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    try {
      await this.look();
      if (this.#timer !== undefined && this.#polls++ % pollsPerPublication === 1) {
        await this.#options.side.ask((connection) => this.#checkPublication(connection));
      }
    } catch (thrown) {
      if (thrown instanceof WeirError && thrown.kind === "precondition") this.#options.onFailure(thrown);
    } finally {
      this.#running = false;
    }
  }

  /** Looks at the log's end and for quiet changes now. Throws what the connection throws. */
  async look(): Promise<void> {
    await this.#options.side.ask((connection) => this.#look(connection));
  }

  async #look(connection: PostgresConnection): Promise<void> {
    const { tables, memory, generatedColumns } = this.#options;
    const row = await connection.row<{ lsn: string }>("SELECT pg_current_wal_lsn()::text AS lsn");
    if (row !== undefined) this.walEndLsn = parseLsn(row.lsn);
    const found = await tablesByOid(connection, [...tables.keys()]);
    if (this.#timer === undefined) return;
    for (const table of tables.values()) {
      const current = found.find((candidate) => candidate.oid === table.oid);
      const reason = table.quietChange(current && publishedTable(current, generatedColumns), memory);
      if (reason === undefined) continue;
      this.told++;
      this.#options.onRecopy(table, reason);
    }
  }

  async #checkPublication(connection: PostgresConnection): Promise<void> {
    const found = await tablesByOid(connection, [...this.#options.tables.keys()]);
    const publication = await readPublication(connection, this.#options.publication);
    const missing = found.find((table) =>
      publication?.tables.every(({ namespace, name }) => namespace !== table.namespace || name !== table.name)
    );
    if (missing !== undefined && this.#timer !== undefined) throw this.#unpublished(qualifiedName(missing));
  }

  #unpublished(table: string): WeirError {
    return new WeirError("precondition", `Table ${table} was taken out of publication "${this.#options.publication}"`, {
      detail: { table },
      advice: "Start again: the table is published and copied once more",
    });
  }
}
