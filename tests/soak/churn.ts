/** A table of a fixed number of living rows that changes with every commit, and what it must hold. */
import type { Relation } from "../../lib/change/relation.ts";
import type { Sink, TableChange } from "../../lib/change/sink.ts";
import { types } from "../../lib/dataset/column_type.ts";
import type { TableDefinition } from "../../lib/dataset/dataset.ts";
import type { Connection } from "../../lib/engine/connection.ts";

/** Living rows, and how many of them each commit changes. */
export interface ChurnSize {
  readonly rows: number;
  /** Anywhere in the table. */
  readonly updates: number;
  /** The oldest leave, as many new ones come. */
  readonly replaced: number;
}

const definition: TableDefinition = {
  namespace: "soak",
  name: "orders",
  key: ["id"],
  columns: [
    { name: "id", type: types.int64, nullable: false },
    { name: "customer", type: types.string, nullable: true },
    { name: "status", type: types.string, nullable: true },
    { name: "amount", type: types.decimal(12, 2), nullable: true },
    { name: "changed", type: types.timestamptz, nullable: true },
    { name: "note", type: types.string, nullable: true },
  ],
};

/** The changing table, written to all sinks at once as the pipeline does. */
export class Churn {
  readonly sinks: readonly Sink[];
  readonly #connection: Connection;
  readonly #size: ChurnSize;
  #commits = 0;

  constructor(connection: Connection, sinksFor: (of: TableDefinition) => readonly Sink[], size: ChurnSize) {
    this.#connection = connection;
    this.#size = size;
    this.sinks = sinksFor(definition);
  }

  /** Table commits of each sink so far. */
  get commits(): number {
    return this.#commits;
  }

  /** Rows as an initial copy brings them. */
  async load(): Promise<void> {
    const rows = rowsOf(`SELECT range AS id, 0 AS commit FROM range(${this.#size.rows})`);
    const upserts = await this.#relation("upserts", `SELECT *, false AS _replaces FROM (${rows})`);
    const change = { ...this.#change(), truncate: true };
    for (const sink of this.sinks) {
      const load = await sink.load(change);
      await load.add(upserts);
      await load.commit();
    }
    await this.#connection.run("DROP TABLE upserts");
  }

  /** One batch. */
  async commit(): Promise<void> {
    const commit = ++this.#commits;
    const { replaced } = this.#size;
    const oldest = this.#oldestAt(commit);
    const removals = await this.#relation(
      "removals",
      `SELECT range AS id, true AS _replaces FROM range(${oldest - replaced}, ${oldest})`,
    );
    const written = rowsOf(
      `SELECT DISTINCT id, ${commit} AS commit FROM (${this.#writtenIn(`SELECT ${commit} AS commit`)})`,
    );
    const known = oldest - replaced + this.#size.rows;
    const upserts = await this.#relation("upserts", `SELECT *, id < ${known} AS _replaces FROM (${written})`);
    const change = { ...this.#change(), upserts, removals };
    await Promise.all(this.sinks.map((sink) => sink.commit(change)));
    await this.#connection.run("DROP TABLE upserts");
    await this.#connection.run("DROP TABLE removals");
  }

  /** SELECT of the rows that the table must hold by now: each as its last commit wrote it. */
  expected(): string {
    const { rows } = this.#size;
    const oldest = this.#oldestAt(this.#commits);
    const written = this.#writtenIn(`SELECT range AS commit FROM range(1, ${this.#commits + 1})`);
    return rowsOf(`SELECT id, max(commit) AS commit FROM (
      SELECT range AS id, 0 AS commit FROM range(${rows}) UNION ALL ${written}
    ) WHERE id >= ${oldest} GROUP BY id`);
  }

  /** Rows in which a SELECT differs from what the table must hold. */
  async differing(select: string): Promise<number> {
    const [own, other] = [`FROM (${this.expected()})`, `FROM (${select})`];
    return Number(
      await this.#connection.value(
        `SELECT count(*) FROM ((${own} EXCEPT ALL ${other}) UNION ALL (${other} EXCEPT ALL ${own}))`,
      ),
    );
  }

  /** Ids below it have left the table by a commit. */
  #oldestAt(commit: number): number {
    return commit * this.#size.replaced;
  }

  /** SELECT of id and commit of what commits write: updates anywhere, and as many new rows as old ones leave. */
  #writtenIn(commits: string): string {
    const { rows, updates, replaced } = this.#size;
    const oldest = `commit * ${replaced}`;
    return `SELECT ${oldest} + hash(range, commit) % ${
      rows - replaced
    } AS id, commit FROM (${commits}), range(${updates})
      UNION ALL SELECT ${oldest} + ${rows - replaced} + range AS id, commit FROM (${commits}), range(${replaced})`;
  }

  async #relation(name: string, select: string): Promise<Relation> {
    await this.#connection.run(
      `CREATE OR REPLACE TABLE ${name} AS SELECT *, row_number() OVER () AS _ordinal, ${
        name === "removals"
      } AS _delete FROM (${select})`,
    );
    return { name, definition, rows: Number(await this.#connection.value(`SELECT count(*) FROM ${name}`)) };
  }

  #change(): Omit<TableChange, "upserts" | "removals"> {
    return {
      definition,
      schemaChanges: [],
      truncate: false,
      scope: definition.key,
      position: { instance: "soak:1/1", offset: `0/${(this.#commits + 1).toString(16)}` },
      commitTimeMs: Date.now(),
    };
  }
}

/** Rows as a commit writes them, of a SELECT of id and commit. */
function rowsOf(written: string): string {
  return `SELECT id::BIGINT AS id, 'customer ' || hash(id) % 10000 AS customer,
    ['new', 'paid', 'sent', 'done'][1 + commit % 4] AS status,
    (hash(id, commit) % 1000000 / 100)::DECIMAL(12,2) AS amount,
    TIMESTAMPTZ '2026-01-01 00:00:00+00' + to_seconds(commit) AS changed, md5(id || ' ' || commit) AS note
    FROM (${written})`;
}
