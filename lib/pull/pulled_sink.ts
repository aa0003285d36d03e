/** A sink that keeps what a batch would write instead of writing it. */
import type { Scan, Sink, SinkStatus, SinkTable, TableChange, TableLoad } from "../change/sink.ts";
import type { Relation } from "../change/relation.ts";
import type { Connection } from "../engine/connection.ts";
import { identifier } from "../engine/quote.ts";

/** Rows that a batch would write into a lake table. */
export interface PulledTable {
  /** Name of the engine's table: `change` (`write` or `delete`; of the latter the key alone), then the lake table's columns. */
  readonly table: string;
  readonly writes: number;
  readonly deletes: number;
}

let pulled = 0;

/**
 * Stands in for a lake table: what transforms ask of it is answered by the one that is there, if one is, and what they make is kept as
 * a table of the engine.
 */
export class PulledSink implements Sink {
  readonly table: SinkTable;
  readonly #connection: Connection;
  readonly #present: Sink | undefined;
  #kept: PulledTable | undefined;

  constructor(table: SinkTable, { connection, present }: {
    readonly connection: Connection;
    readonly present: Sink | undefined;
  }) {
    this.table = table;
    this.#connection = connection;
    this.#present = present;
  }

  /** What was kept since the last time; undefined where nothing was. */
  take(): PulledTable | undefined {
    const kept = this.#kept;
    this.#kept = undefined;
    return kept;
  }

  status(): Promise<SinkStatus> {
    return this.#present?.status() ?? Promise.resolve({ rows: 0n });
  }

  scan(): Promise<Scan | undefined> {
    return this.#present?.scan() ?? Promise.resolve(undefined);
  }

  sample(): Promise<Scan | undefined> {
    return this.#present?.sample() ?? Promise.resolve(undefined);
  }

  async commit(change: TableChange): Promise<SinkStatus> {
    const { upserts, removals } = change;
    const columns = change.definition.columns.map(({ name }) => name);
    const parts = [...rowsOf("write", upserts, columns), ...rowsOf("delete", removals, change.scope)];
    if (parts.length > 0) {
      const table = `weir_pulled_${++pulled}`;
      await this.#connection.run(`CREATE TABLE ${identifier(table)} AS ${parts.join(" UNION ALL BY NAME ")}`);
      this.#kept = { table, writes: upserts?.rows ?? 0, deletes: removals?.rows ?? 0 };
    }
    return await this.status();
  }

  load(): Promise<TableLoad> {
    return Promise.reject(new TypeError("Cannot load a table that is not written"));
  }

  recordPosition(): Promise<void> {
    return Promise.resolve();
  }
}

function rowsOf(change: "write" | "delete", rows: Relation | undefined, columns: readonly string[]): readonly string[] {
  if (rows === undefined) return [];
  return [`SELECT '${change}' AS change, ${columns.map(identifier).join(", ")} FROM ${identifier(rows.name)}`];
}
