/**
 * A sink whose tables are DuckDB tables in memory: the sink promise (see `change/sink.ts`) in its plainest form, as the
 * measure for the others and for tests of the pipeline. It is stricter than a lake: a key that comes twice, or that is
 * said to be new and is not, is an error.
 */
import type { Position } from "../change/position.ts";
import type { Relation } from "../change/relation.ts";
import type { Scan, Sink, SinkStatus, SinkTable, TableChange, TableLoad } from "../change/sink.ts";
import type { Column } from "../dataset/column.ts";
import { duckdbType } from "../dataset/column_type.ts";
import { evolveColumns } from "../dataset/schema_change.ts";
import type { Connection } from "../engine/connection.ts";
import { identifier } from "../engine/quote.ts";
import { WeirError } from "../errors.ts";
import { failPoint } from "../fail_point.ts";
import { alterTableSql } from "./alter_table_sql.ts";

/** Every fail point of {@linkcode MemorySink}. */
export const memorySinkFailPoints = ["memory.afterRows", "memory.beforeCommit", "memory.afterCommit"] as const;

/** One committed version of a table. */
interface Version {
  readonly table: string;
  readonly columns: readonly Column[];
  readonly snapshotId: bigint;
  readonly rows: bigint;
  readonly position: Position | undefined;
}

/** Tables that several sinks, or one sink opened again, share: what a lake folder is to the real ones. */
export class MemoryLake {
  readonly connection: Connection;
  readonly versions: Map<string, Version> = new Map();
  #tables = 0;

  constructor(connection: Connection) {
    this.connection = connection;
  }

  /** A table name that nothing else uses. */
  newTable(): string {
    return `memory_lake_${++this.#tables}`;
  }
}

type Rewrite = Omit<TableChange, "upserts" | "removals">;

/** One table of a {@linkcode MemoryLake}. */
export class MemorySink implements Sink {
  readonly table: SinkTable;
  readonly #lake: MemoryLake;
  /** The newest version this instance has seen; another one's commit after it fences this instance. */
  #seen: Version | undefined;

  constructor(lake: MemoryLake, table: { readonly namespace: string; readonly name: string }) {
    const name = `${table.namespace}.${table.name}`;
    this.table = { format: "memory", ...table, location: `memory://weir/${name}` };
    this.#lake = lake;
    this.#seen = lake.versions.get(this.table.location);
  }

  status(): Promise<SinkStatus> {
    this.#seen = this.#current();
    if (this.#seen === undefined) return Promise.resolve({ rows: 0n });
    const { position, snapshotId, rows, columns } = this.#seen;
    return Promise.resolve({ snapshotId, rows, columns, ...(position === undefined ? {} : { position }) });
  }

  scan(): Promise<Scan | undefined> {
    const current = this.#current();
    const sql = current && `SELECT ${names(current.columns)} FROM ${identifier(current.table)}`;
    return Promise.resolve(sql === undefined ? undefined : { sql, [Symbol.dispose]: () => {} });
  }

  sample(): Promise<Scan | undefined> {
    return this.scan();
  }

  async commit(change: TableChange): Promise<SinkStatus> {
    if (change.position.offset === this.#current()?.position?.offset && !this.#fenced()) return await this.status();
    const table = await this.#rewritten(change);
    await this.#remove(table, change);
    if (change.upserts !== undefined) await this.#upsert(table, change, change.upserts);
    return await this.#publish(table, change);
  }

  async load(change: Rewrite): Promise<TableLoad> {
    const table = await this.#rewritten(change);
    return {
      add: (upserts) => this.#upsert(table, change, upserts),
      commit: () => this.#publish(table, change),
      abandon: async () => {
        // A commit that failed may still have happened, and its rows must stay.
        if (this.#current()?.table === table) return;
        await this.#lake.connection.run(`DROP TABLE IF EXISTS ${identifier(table)}`);
      },
    };
  }

  async recordPosition(position: Position | undefined): Promise<void> {
    await failPoint("memory.beforeCommit");
    const current = this.#checked();
    if (current === undefined) return;
    this.#seen = { ...current, position, snapshotId: current.snapshotId + 1n };
    this.#lake.versions.set(this.table.location, this.#seen);
    await failPoint("memory.afterCommit");
  }

  #current(): Version | undefined {
    return this.#lake.versions.get(this.table.location);
  }

  #fenced(): boolean {
    return this.#current()?.snapshotId !== this.#seen?.snapshotId;
  }

  #checked(): Version | undefined {
    if (!this.#fenced()) return this.#current();
    const detail = { table: `${this.table.namespace}.${this.table.name}` };
    throw new WeirError("fenced", "Another instance has committed to this table", { detail });
  }

  /** A copy of the current rows with the change's schema, empty after a truncate. */
  async #rewritten(change: Rewrite): Promise<string> {
    const current = this.#checked();
    const table = this.#lake.newTable();
    const { connection } = this.#lake;
    if (current === undefined) {
      const columns = change.definition.columns.map((column) =>
        `${identifier(column.name)} ${duckdbType(column.type)}`
      );
      await connection.run(`CREATE TABLE ${identifier(table)} (${columns.join(", ")})`);
      return table;
    }
    await connection.run(`CREATE TABLE ${identifier(table)} AS FROM ${identifier(current.table)}`);
    let columns = current.columns;
    for (const step of change.schemaChanges) {
      const evolved = evolveColumns(columns, [step]);
      if (names(evolved) !== names(columns) || step.kind === "widenColumn") {
        await connection.run(alterTableSql(table, step));
      }
      columns = evolved;
    }
    if (change.truncate) await connection.run(`TRUNCATE ${identifier(table)}`);
    return table;
  }

  async #remove(table: string, change: TableChange): Promise<void> {
    if (change.removals === undefined) return;
    await this.#deleteMatching(table, change.removals, change.scope);
  }

  async #deleteMatching(table: string, relation: Relation, key: readonly string[]): Promise<number> {
    const matches = key.map((name) => `old.${identifier(name)} = gone.${identifier(name)}`).join(" AND ");
    const from = `${identifier(table)} AS old USING ${identifier(relation.name)} AS gone`;
    return await this.#lake.connection.run(`DELETE FROM ${from} WHERE ${matches}`);
  }

  async #upsert(table: string, change: Rewrite, upserts: Relation): Promise<void> {
    const { connection } = this.#lake;
    const { key, columns } = change.definition;
    const source = identifier(upserts.name);
    if (key.length > 0) {
      const matches = key.map((name) => `old.${identifier(name)} = new.${identifier(name)}`).join(" AND ");
      const from = `${identifier(table)} AS old USING ${source} AS new`;
      await connection.run(`DELETE FROM ${from} WHERE new._replaces AND ${matches}`);
    }
    await connection.run(`INSERT INTO ${identifier(table)} BY NAME SELECT ${names(columns)} FROM ${source}`);
    await failPoint("memory.afterRows");
  }

  /** How many rows there are. Throws where a key stands twice. */
  async #countRows(table: string, key: readonly string[]): Promise<bigint> {
    const keys = key.length === 0 ? "count(*)" : `count(DISTINCT (${key.map(identifier).join(", ")}))`;
    const [counts] = await this.#lake.connection.rows(
      `SELECT count(*) AS rows, ${keys} AS keys FROM ${identifier(table)}`,
    );
    const { rows, keys: different } = counts as { rows: bigint; keys: bigint };
    if (rows === different) return rows;
    throw new WeirError("internal", "A key would stand twice in the table", {
      detail: { counts: { keys: Number(rows - different) } },
    });
  }

  async #publish(table: string, change: Rewrite): Promise<SinkStatus> {
    const rows = await this.#countRows(table, change.definition.key);
    await failPoint("memory.beforeCommit");
    const before = this.#checked();
    const snapshotId = (before?.snapshotId ?? 0n) + 1n;
    const columns = before === undefined
      ? change.definition.columns
      : evolveColumns(before.columns, change.schemaChanges);
    this.#seen = { table, columns, snapshotId, rows, position: change.position };
    this.#lake.versions.set(this.table.location, this.#seen);
    await failPoint("memory.afterCommit");
    return await this.status();
  }
}

function names(columns: readonly Column[]): string {
  return columns.map((column) => identifier(column.name)).join(", ");
}
