/** An Iceberg table beside a plain DuckDB table that says what it must hold: the oracle of the interop tests. */
import assert from "node:assert/strict";
import type { Column } from "../../lib/dataset/column.ts";
import { duckdbType } from "../../lib/dataset/column_type.ts";
import { evolveColumns, type SchemaChange } from "../../lib/dataset/schema_change.ts";
import type { TableDefinition } from "../../lib/dataset/dataset.ts";
import { identifier } from "../../lib/engine/quote.ts";
import { LocalStorage } from "../../lib/storage/local.ts";
import { IcebergTable } from "../../lib/table/iceberg/iceberg_table.ts";
import type { DatabaseFixture } from "../../lib/testing/temporary.ts";
import { runPython } from "./python_env.ts";

/** What `iceberg_read.py` prints. */
export interface PyicebergReading {
  readonly rows: number;
  readonly columns: readonly string[];
  readonly snapshotId: string | null;
  readonly formatVersion: number;
  readonly properties: Readonly<Record<string, string>>;
  readonly totalFiles: number;
  readonly manifests: number;
  readonly planned: readonly { readonly filter: string; readonly files: number; readonly rows: number }[];
}

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

/** Options of {@linkcode IcebergModel}. */
export interface IcebergModelOptions {
  readonly definition: TableDefinition;
  readonly formatVersion: 2 | 3;
  readonly python: string;
}

/** A table and its oracle. */
export class IcebergModel {
  readonly table: IcebergTable;
  readonly #fixture: DatabaseFixture;
  readonly #options: IcebergModelOptions;
  #definition: TableDefinition;
  #step = 0;

  constructor(fixture: DatabaseFixture, options: IcebergModelOptions) {
    this.#fixture = fixture;
    this.#options = options;
    this.#definition = options.definition;
    const { namespace, name } = options.definition;
    this.table = new IcebergTable({
      storage: new LocalStorage(fixture.folder),
      connection: fixture.connection,
      folder: `iceberg/${namespace}/${name}`,
      namespace,
      name,
      formatVersion: options.formatVersion,
    });
  }

  /** Makes the empty table and its oracle. */
  async create(): Promise<void> {
    await this.table.create(this.#definition);
    await this.#run(`CREATE TABLE model AS ${emptySelect(this.#definition.columns)}`);
  }

  /** Commits a change to the table and applies it to the oracle. */
  async apply(change: ModelChange): Promise<void> {
    const { schemaChanges = [], truncate = false } = change;
    for (const step of schemaChanges) await this.#run(`ALTER TABLE model ${alterText(step)}`);
    const columns = evolveColumns(this.#definition.columns, schemaChanges);
    const key = this.#definition.key.map((name) => renamed(name, schemaChanges));
    const definition = this.#definition = { ...this.#definition, columns, key };
    const scope = change.scope ?? key;
    const step = ++this.#step;
    const state = (await this.table.load())!;
    const relation = async (select: string | undefined, name: string) => {
      if (select === undefined) return undefined;
      await this.#run(
        `CREATE TABLE ${name} AS SELECT *, 0::BIGINT AS _ordinal, false AS _delete, true AS _replaces FROM (${select})`,
      );
      const rows = Number(await this.#fixture.connection.value(`SELECT count(*) FROM ${name}`));
      return { name, definition, rows };
    };
    const upserts = await relation(change.upserts, `upserts_${step}`);
    const removals = await relation(change.removals, `removals_${step}`);
    const prepared = await this.table.prepare(state, {
      definition,
      schemaChanges,
      truncate,
      ...(upserts === undefined ? {} : { upserts }),
      ...(removals === undefined ? {} : { removals }),
      scope,
      position: { instance: "test:1/1", offset: `0/${step}` },
      commitTimeMs: 1_700_000_000_000 + step,
    });
    assert.equal((await this.table.commit(this.table.stage(state, prepared))).outcome, "committed");
    await this.#applyToModel({ ...change, scope }, step);
  }

  async #applyToModel(change: ModelChange & { readonly scope: readonly string[] }, step: number): Promise<void> {
    const names = this.#definition.columns.map(({ name }) => identifier(name)).join(", ");
    const drop = (relation: string, keys: readonly string[]) => {
      const same = keys.map((name) => `model.${identifier(name)} = gone.${identifier(name)}`).join(" AND ");
      return this.#run(`DELETE FROM model USING ${relation} AS gone WHERE ${same}`);
    };
    if (change.truncate) await this.#run("DELETE FROM model");
    if (change.removals !== undefined) await drop(`removals_${step}`, change.scope);
    if (change.upserts === undefined) return;
    if (this.#definition.key.length > 0) await drop(`upserts_${step}`, this.#definition.key);
    await this.#run(`INSERT INTO model (${names}) SELECT ${names} FROM upserts_${step}`);
  }

  /** Compares the oracle with our own scan and with pyiceberg's, row by row, and gives what pyiceberg said. */
  async check(...filters: string[]): Promise<PyicebergReading> {
    const state = (await this.table.load())!;
    const output = `${this.#fixture.folder}/pyiceberg_${this.#step}.parquet`;
    const folder = `${this.#fixture.folder}/iceberg/${this.table.namespace}/${this.table.name}`;
    const reading = await runPython<PyicebergReading>(this.#options.python, "iceberg_read.py", [
      folder,
      output,
      ...filters,
    ]);
    await this.#same(await this.table.scan(state), "our scan");
    await this.#same(`FROM read_parquet('${output}')`, "pyiceberg");
    assert.deepEqual(reading.columns, this.#definition.columns.map(({ name }) => name));
    assert.equal(BigInt(reading.rows), state.rows);
    assert.equal(reading.snapshotId ?? undefined, state.snapshotId?.toString());
    assert.equal(reading.formatVersion, this.#options.formatVersion);
    assert.equal(reading.properties["weir.position"], `test:1/1@0/${this.#step}`);
    return reading;
  }

  async #same(scan: string, who: string): Promise<void> {
    // Readers may spell types differently (large_string, zones); values are compared as the table's own types.
    const columns = this.#definition.columns.map(({ name, type }) =>
      `CAST(${identifier(name)} AS ${duckdbType(type)})`
    );
    const select = (from: string) => `SELECT ${columns.join(", ")} FROM (${from})`;
    const [model, found] = [select("FROM model"), select(scan)];
    const counts = await this.#fixture.connection.rows(
      `SELECT (SELECT count(*) FROM (${model} EXCEPT ALL ${found})) AS missing,
              (SELECT count(*) FROM (${found} EXCEPT ALL ${model})) AS extra`,
    );
    assert.deepEqual(counts[0], { missing: 0n, extra: 0n }, `${who} after step ${this.#step}`);
  }

  async #run(sql: string): Promise<void> {
    await this.#fixture.connection.run(sql);
  }
}

function emptySelect(columns: readonly Column[]): string {
  return `SELECT ${
    columns.map(({ name, type }) => `NULL::${duckdbType(type)} AS ${identifier(name)}`).join(", ")
  } WHERE false`;
}

function renamed(name: string, changes: readonly SchemaChange[]): string {
  return changes.reduce((now, step) => step.kind === "renameColumn" && step.from === now ? step.to : now, name);
}

function alterText(step: SchemaChange): string {
  switch (step.kind) {
    case "addColumn":
      return `ADD COLUMN ${identifier(step.column.name)} ${duckdbType(step.column.type)}`;
    case "dropColumn":
      return `DROP COLUMN ${identifier(step.name)}`;
    case "renameColumn":
      return `RENAME COLUMN ${identifier(step.from)} TO ${identifier(step.to)}`;
    case "widenColumn":
      return `ALTER COLUMN ${identifier(step.name)} TYPE ${duckdbType(step.type)}`;
  }
}
