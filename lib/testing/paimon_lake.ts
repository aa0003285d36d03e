/** A Paimon lake in a temporary folder, and changes for its tables. */
import assert from "node:assert/strict";
import type { Relation } from "../change/relation.ts";
import type { TableChange } from "../change/sink.ts";
import type { Column } from "../dataset/column.ts";
import { types } from "../dataset/column_type.ts";
import type { TableDefinition } from "../dataset/dataset.ts";
import type { SchemaChange } from "../dataset/schema_change.ts";
import type { Connection } from "../engine/connection.ts";
import { armFailPoints } from "../fail_point.ts";
import { LocalStorage } from "../storage/local.ts";
import { PaimonTable, type PaimonTableOptions } from "../table/paimon/paimon_table.ts";
import { FaultyStorage } from "./faulty_storage.ts";
import { withDatabase } from "./temporary.ts";

/** Columns of {@linkcode orders}. */
export const orderColumns: readonly Column[] = [
  { name: "id", type: types.int64, nullable: false },
  { name: "name", type: types.string, nullable: true },
  { name: "amount", type: types.decimal(12, 2), nullable: true },
];
/** A keyed table. */
export const orders: TableDefinition = { namespace: "shop", name: "orders", columns: orderColumns, key: ["id"] };

/** A lake of one database. */
export interface PaimonLake {
  readonly folder: string;
  readonly connection: Connection;
  readonly storage: FaultyStorage;
  /** Another instance, which knows nothing but the files. */
  open(options?: Partial<Omit<PaimonTableOptions, "storage" | "connection">>): PaimonTable;
}

/** A lake in a temporary folder, removed afterwards. */
export async function withPaimonLake(work: (lake: PaimonLake) => Promise<void>): Promise<void> {
  await withDatabase(async ({ folder, connection }) => {
    const storage = new FaultyStorage(new LocalStorage(folder));
    const open: PaimonLake["open"] = (options = {}) =>
      new PaimonTable({ storage, connection, folder: "paimon", namespace: "shop", name: "orders", ...options });
    try {
      await work({ folder, connection, storage, open });
    } finally {
      armFailPoints(undefined);
    }
  });
}

let relations = 0;

async function relation(connection: Connection, of: { sql: string; definition: TableDefinition }): Promise<Relation> {
  const name = `r${++relations}`;
  await connection.run(`CREATE TABLE ${name} AS SELECT *, true AS _replaces FROM (${of.sql})`);
  const rows = Number(await connection.value(`SELECT count(*) FROM ${name}`));
  return { name, definition: of.definition, rows };
}

/** One change, as SQL. */
export interface PaimonStep {
  readonly definition?: TableDefinition;
  readonly upserts?: string;
  readonly removals?: string;
  readonly scope?: readonly string[];
  readonly schemaChanges?: readonly SchemaChange[];
  readonly truncate?: boolean;
  readonly offset?: string;
}

/** The change of a step. */
export async function paimonChange(connection: Connection, step: PaimonStep): Promise<TableChange> {
  const of = step.definition ?? orders;
  return {
    definition: of,
    schemaChanges: step.schemaChanges ?? [],
    truncate: step.truncate ?? false,
    scope: step.scope ?? of.key,
    position: { instance: "postgres:1/1", offset: step.offset ?? "0/1" },
    commitTimeMs: 1000,
    ...(step.upserts && { upserts: await relation(connection, { sql: step.upserts, definition: of }) }),
    ...(step.removals && { removals: await relation(connection, { sql: step.removals, definition: of }) }),
  };
}

/** Commits a step. */
export async function applyStep(lake: PaimonLake, table: PaimonTable, step: PaimonStep): Promise<void> {
  const state = await table.load() ?? await table.create(step.definition ?? orders);
  const prepared = await table.prepare(state, await paimonChange(lake.connection, step));
  assert.equal((await table.commit(table.stage(state, prepared))).outcome, "committed");
}

/** The table's rows as text, read by a fresh instance, which knows nothing but the files. */
export async function rowsOf(lake: PaimonLake, table: PaimonTable): Promise<readonly string[]> {
  const { sql: select } = await table.scan((await table.load())!);
  const rows = await lake.connection.rows(`SELECT t::VARCHAR AS line FROM (${select}) AS t ORDER BY 1`);
  return rows.map((row) => row.line as string);
}
