/** A lake table beside a plain DuckDB table that says what it must hold: the oracle of the interop tests. */
import assert from "node:assert/strict";
import type { Sink } from "../../lib/change/sink.ts";
import type { Column } from "../../lib/dataset/column.ts";
import { duckdbType } from "../../lib/dataset/column_type.ts";
import type { TableDefinition } from "../../lib/dataset/dataset.ts";
import { evolveColumns, type SchemaChange } from "../../lib/dataset/schema_change.ts";
import { identifier, literal } from "../../lib/engine/quote.ts";
import { LakeSink } from "../../lib/sink/lake_sink.ts";
import type { LakeTable } from "../../lib/table/lake_table.ts";
import { alterTableSql } from "../../lib/testing/alter_table_sql.ts";
import type { DatabaseFixture } from "../../lib/testing/temporary.ts";
import { readBySpark, type SparkFormat } from "./readers.ts";
import type { Spark } from "./spark.ts";

/** One change, as SQL. */
export interface ModelChange {
  /** SELECT giving the columns of the rows that are added or replaced. */
  readonly upserts?: string;
  /** SELECT giving the key columns of `scope`. */
  readonly removals?: string;
  readonly scope?: readonly string[];
  readonly truncate?: boolean;
  readonly schemaChanges?: readonly SchemaChange[];
}

/** A table and its oracle. */
export class LakeModel<Table extends LakeTable = LakeTable> {
  /** The table as the last change left it. */
  readonly sink: Sink;
  readonly table: Table;
  readonly #fixture: DatabaseFixture;
  readonly #name: string;
  #definition: TableDefinition;
  #step = 0;

  constructor(fixture: DatabaseFixture, of: { readonly definition: TableDefinition; readonly table: Table }) {
    this.#fixture = fixture;
    this.#definition = of.definition;
    this.table = of.table;
    this.#name = `model_${of.definition.name}`;
    this.sink = new LakeSink(of.table);
  }

  /** Makes the empty table and its oracle. */
  async create(): Promise<void> {
    await this.table.create(this.#definition);
    await this.#run(`CREATE TABLE ${this.#name} AS ${emptySelect(this.#definition.columns)}`);
  }

  get definition(): TableDefinition {
    return this.#definition;
  }

  /** SELECT giving the rows that the table must hold. */
  get rows(): string {
    return `SELECT * FROM ${this.#name}`;
  }

  /** Name of the oracle. */
  get oracle(): string {
    return this.#name;
  }

  /** What another writer did to the table. */
  async applyToOracle(sql: string): Promise<void> {
    await this.#run(sql);
  }

  /** How many changes were applied. */
  get steps(): number {
    return this.#step;
  }

  /** Text of the last change's position. */
  get position(): string {
    return `test:1/1@0/${this.#step}`;
  }

  /** Asks for another layout from the next change on. */
  declare(layout: Pick<TableDefinition, "partitionBy" | "partitionByDay" | "sortBy">): void {
    this.#definition = { ...this.#definition, ...layout };
  }

  /** Commits a change to the table and applies it to the oracle. */
  async apply(change: ModelChange): Promise<void> {
    const { schemaChanges = [], truncate = false } = change;
    for (const step of schemaChanges) await this.#run(alterTableSql(this.#name, step));
    const columns = evolveColumns(this.#definition.columns, schemaChanges);
    const key = this.#definition.key.map((name) => renamed(name, schemaChanges));
    const definition = this.#definition = { ...this.#definition, columns, key };
    const scope = change.scope ?? key;
    const step = ++this.#step;
    const upserts = await this.#relation(change.upserts, "upserts");
    const removals = await this.#relation(change.removals, "removals");
    await this.sink.commit({
      definition,
      schemaChanges,
      truncate,
      ...(upserts === undefined ? {} : { upserts }),
      ...(removals === undefined ? {} : { removals }),
      scope,
      position: { instance: "test:1/1", offset: `0/${step}` },
      commitTimeMs: 1_700_000_000_000 + step,
    });
    await this.#applyToModel({ ...change, scope });
  }

  /** Compares the oracle with the table as a reader found it, row by row. */
  async same(scan: string, who: string): Promise<void> {
    // Readers may spell types differently (large_string, zones); values are compared as the table's own types.
    const columns = this.#definition.columns.map(({ name, type }) =>
      `CAST(${identifier(name)} AS ${duckdbType(type)})`
    );
    const select = (from: string) => `SELECT ${columns.join(", ")} FROM (${from})`;
    const [model, found] = [select(this.rows), select(scan)];
    const counts = await this.#fixture.connection.rows(
      `SELECT (SELECT count(*) FROM (${model} EXCEPT ALL ${found})) AS missing,
              (SELECT count(*) FROM (${found} EXCEPT ALL ${model})) AS extra`,
    );
    assert.deepEqual(counts[0], { missing: 0n, extra: 0n }, `${who} after step ${this.#step}`);
  }

  /** Compares the oracle with the table as Spark finds it. Each filter must find as many rows as it does in the oracle. */
  async checkBySpark(
    spark: Spark,
    format: SparkFormat,
    ...filters: readonly string[]
  ): Promise<void> {
    const { namespace, name, columns } = this.#definition;
    const { path, scan } = this.output("spark");
    const reading = {
      spark,
      lake: this.#fixture.folder,
      table: `${namespace}.${name}`,
      output: path,
      filters,
    };
    const found = await readBySpark(format, reading);
    assert.deepEqual(found.columns, columns.map((column) => column.name));
    await this.same(scan, "Spark");
    for (const { filter, rows } of found.planned) assert.equal(rows, await this.count(filter), `Spark: ${filter}`);
  }

  /** How many rows of the oracle a condition is true for. */
  async count(condition = "true"): Promise<number> {
    const rows = await this.#fixture.connection.value(`SELECT count(*) FROM ${this.#name} WHERE ${condition}`);
    return Number(rows);
  }

  /** A file for a reader's rows, and the SELECT that reads it. */
  output(who: string): { readonly path: string; readonly scan: string } {
    const path = `${this.#fixture.folder}/${this.#name}_${who}.parquet`;
    return { path, scan: `SELECT * FROM read_parquet(${literal(path)})` };
  }

  async #relation(select: string | undefined, kind: string) {
    if (select === undefined) return undefined;
    const name = this.#relationName(kind);
    await this.#run(
      `CREATE TABLE ${name} AS SELECT *, 0::BIGINT AS _ordinal, false AS _delete, true AS _replaces FROM (${select})`,
    );
    const rows = Number(await this.#fixture.connection.value(`SELECT count(*) FROM ${name}`));
    return { name, definition: this.#definition, rows };
  }

  #relationName(kind: string): string {
    return `${this.#name}_${kind}_${this.#step}`;
  }

  async #applyToModel(change: ModelChange & { readonly scope: readonly string[] }): Promise<void> {
    const names = this.#definition.columns.map(({ name }) => identifier(name)).join(", ");
    const drop = (kind: string, keys: readonly string[]) => {
      const same = keys.map((name) => `${this.#name}.${identifier(name)} = gone.${identifier(name)}`).join(" AND ");
      return this.#run(`DELETE FROM ${this.#name} USING ${this.#relationName(kind)} AS gone WHERE ${same}`);
    };
    if (change.truncate) await this.#run(`DELETE FROM ${this.#name}`);
    if (change.removals !== undefined) await drop("removals", change.scope);
    if (change.upserts === undefined) return;
    if (this.#definition.key.length > 0) await drop("upserts", this.#definition.key);
    await this.#run(`INSERT INTO ${this.#name} (${names}) SELECT ${names} FROM ${this.#relationName("upserts")}`);
  }

  async #run(sql: string): Promise<void> {
    await this.#fixture.connection.run(sql);
  }
}

function emptySelect(columns: readonly Column[]): string {
  const nulls = columns.map(({ name, type }) => `NULL::${duckdbType(type)} AS ${identifier(name)}`);
  return `SELECT ${nulls.join(", ")} WHERE false`;
}

function renamed(name: string, changes: readonly SchemaChange[]): string {
  return changes.reduce((now, step) => step.kind === "renameColumn" && step.from === now ? step.to : now, name);
}
