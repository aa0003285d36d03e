import assert from "node:assert/strict";
import type { TableChange } from "../change/sink.ts";
import { types } from "../dataset/column_type.ts";
import type { TableDefinition } from "../dataset/dataset.ts";
import type { Connection } from "../engine/connection.ts";
import { LakeSink } from "../sink/lake_sink.ts";
import { LocalStorage } from "../storage/local.ts";
import type { Storage } from "../storage/storage.ts";
import { DeltaTable } from "../table/delta/delta_table.ts";
import { IcebergTable } from "../table/iceberg/iceberg_table.ts";
import type { LakeTable } from "../table/lake_table.ts";
import { PaimonTable } from "../table/paimon/paimon_table.ts";
import { type LiteralRow, relationOf } from "../testing/relations.ts";
import { withDatabase } from "../testing/temporary.ts";
import { openLake } from "./lake.ts";

const definition: TableDefinition = {
  namespace: "bank",
  name: "holders",
  key: ["id"],
  columns: [
    { name: "id", type: types.int64, nullable: false },
    { name: "name", type: types.string, nullable: true },
  ],
};

async function changeTo(
  connection: Connection,
  content: { readonly at: number; readonly rows: readonly LiteralRow[] },
) {
  const change: TableChange = {
    definition,
    schemaChanges: [],
    truncate: false,
    upserts: await relationOf(connection, { definition, rows: content.rows }),
    scope: ["id"],
    position: { instance: "test:1/1", offset: `0/${content.at}` },
    commitTimeMs: 1_700_000_000_000,
  };
  return change;
}

/** A sink for each format of the table. */
function sinksIn(storage: Storage, connection: Connection): readonly LakeSink[] {
  const at = { storage, connection, namespace: "bank", name: "holders" };
  const tables: readonly LakeTable[] = [
    new DeltaTable({ ...at, folder: "delta/bank/holders" }),
    new IcebergTable({ ...at, folder: "iceberg/bank/holders" }),
    new PaimonTable({ ...at, folder: "paimon" }),
  ];
  return tables.map((table) => new LakeSink(table));
}

Deno.test("a lake below a folder that is called as a column and a value is read as it is", () =>
  withDatabase(async ({ folder, connection }) => {
    const storage = new LocalStorage(`${folder}/name=Eve/lake`);
    const change = await changeTo(connection, { at: 1, rows: [{ id: "1", name: "'Ann'" }] });
    for (const sink of sinksIn(storage, connection)) await sink.commit(change);
    const views = await openLake({ storage, connection });
    assert.equal(views.length, 3);
    for (const { view } of views) assert.equal(await connection.value(`SELECT name FROM ${view}`), "Ann");
  }));

Deno.test("a lake shows the current snapshot of every table of every format, and moves on when it is opened again", () =>
  withDatabase(async ({ folder, connection, database }) => {
    const storage = new LocalStorage(`${folder}/lake`);
    assert.deepEqual(await openLake({ storage, connection }), []);
    const sinks = sinksIn(storage, connection);
    const first = await changeTo(connection, { at: 1, rows: [{ id: "1", name: "'Ann'" }, { id: "2", name: "'Ben'" }] });
    for (const sink of sinks) await sink.commit(first);

    const reader = await database.connect();
    const views = await openLake({ storage, connection: reader });
    assert.deepEqual(
      views.map(({ view }) => view),
      ["delta", "iceberg", "paimon"].map((format) => `"${format}_bank"."holders"`),
    );
    assert.deepEqual(views.map(({ position }) => position?.offset), ["0/1", "0/1", "0/1"]);
    const names = (view: string) => reader.value(`SELECT string_agg(name, ',' ORDER BY id) FROM ${view}`);
    for (const { view } of views) assert.equal(await names(view), "Ann,Ben");

    const second = await changeTo(connection, { at: 2, rows: [{ id: "2", name: "'Bob'" }] });
    for (const sink of sinks) await sink.commit(second);
    for (const { view } of views) assert.equal(await names(view), "Ann,Ben", "a view stays at its snapshot");
    await openLake({ storage, connection: reader });
    for (const { view } of views) assert.equal(await names(view), "Ann,Bob");
    reader.close();
  }));
