/** Paimon's own Java code writes and maintains our tables beside us, and both go on: no row lost, none twice. */
import assert from "node:assert/strict";
import { types } from "../../lib/dataset/column_type.ts";
import type { TableDefinition } from "../../lib/dataset/dataset.ts";
import { PostgresConnection } from "../../lib/source/postgres/connection.ts";
import { LocalStorage } from "../../lib/storage/local.ts";
import { PaimonTable } from "../../lib/table/paimon/paimon_table.ts";
import { type DatabaseFixture, withDatabase } from "../../lib/testing/temporary.ts";
import { withPostgres } from "../../lib/testing/with_postgres.ts";
import { captureIntoLake } from "./captured_lake.ts";
import { holders, rows } from "./holders.ts";
import { sameAsSource } from "./lake_reading.ts";
import { PaimonJavaTests } from "./paimon_java.ts";
import { PaimonModel } from "./paimon_model.ts";
import type { Python } from "./python.ts";
import { pythonTest } from "./python_env.ts";
import { expireOnce, filesAreThoseReferred, mergeOnce } from "./upkeep_steps.ts";

const java = new PaimonJavaTests();

/** A table of ours, and rows of others that are put into it from tables of their own. */
class SharedTable {
  readonly model: PaimonModel;
  readonly #fixture: DatabaseFixture;
  readonly #python: Python;
  #sources = 0;

  constructor(fixture: DatabaseFixture, python: Python, definition: TableDefinition) {
    this.#fixture = fixture;
    this.#python = python;
    this.model = this.#open(definition);
  }

  /** Another writer adds rows, or takes them away by key. */
  async theirs(select: string, kind: "+I" | "-D" = "+I"): Promise<void> {
    const { namespace, columns, key } = this.model.definition;
    const source = this.#open({ namespace, name: `source_${this.#sources++}`, key: [], columns });
    await source.create();
    await source.apply({ upserts: select });
    await this.model.byJava({ do: "write", from: `${namespace}.${source.definition.name}`, kind });
    const { oracle } = this.model;
    const same = key.map((name) => `${oracle}.${name} = theirs.${name}`).join(" AND ");
    if (key.length > 0) {
      await this.model.applyToOracle(`DELETE FROM ${oracle} USING (${select}) AS theirs WHERE ${same}`);
    }
    if (kind === "+I") await this.model.applyToOracle(`INSERT INTO ${oracle} BY NAME ${select}`);
  }

  #open(definition: TableDefinition): PaimonModel {
    return new PaimonModel(this.#fixture, { definition, python: this.#python, java: java.running });
  }
}

if (java.missing === undefined) {
  await pythonTest(
    "Paimon with a key: Java upserts, deletes, compacts, expires snapshots and looks for orphans",
    (python) =>
      withDatabase(async (fixture) => {
        const shared = new SharedTable(fixture, python, holders);
        const { model } = shared;
        await model.create();
        await model.apply({ upserts: rows("0, 100", "ours") });
        await shared.theirs(`${rows("50, 70", "theirs")} UNION ALL ${rows("900, 905", "theirs")}`);
        await model.checkByAll();
        await model.apply({ upserts: rows("60, 120", "again"), removals: "SELECT 900 AS id" });
        await model.checkByAll();
        await shared.theirs(rows("0, 10", "gone"), "-D");
        await model.checkByAll("id = 5", "id = 901");
        await model.byJava({ do: "compact" });
        const { merged } = await model.checkByAll("id = 5");
        assert.equal(merged, 0, "one run, without deletions");
        await model.apply({ upserts: rows("5, 25", "after their merge"), removals: "SELECT 901 AS id" });
        await model.checkByAll();

        // What they commit while ours is under way: rows do not hinder a merge, another merge does.
        assert.ok(await mergeOnce(model.scene, () => shared.theirs(rows("100, 110", "meanwhile"))));
        await model.checkByAll();
        await model.apply({ upserts: rows("0, 3", "before the next"), removals: "SELECT 902 AS id" });
        assert.ok(!await mergeOnce(model.scene, async () => void await model.byJava({ do: "compact" })));
        await model.apply({ upserts: rows("2, 8", "after two merges") });
        await model.checkByAll("id = 2", "id = 902");

        await model.apply({
          schemaChanges: [
            { kind: "renameColumn", from: "name", to: "full name" },
            { kind: "addColumn", column: { name: "note", type: types.string, nullable: true } },
          ],
          upserts: `SELECT * RENAME (name AS "full name"), 'n' AS note FROM (${rows("110, 130", "evolved")})`,
        });
        await model.byJava({ do: "compact" });
        await model.checkByAll("id = 115", "note = 'n'");
        await model.apply({ removals: "SELECT range AS id FROM range(30, 60)" });
        assert.ok(await model.byJava({ do: "expire", keep: 2 }) as number > 5);
        assert.deepEqual(await model.byJava({ do: "clean" }), [], "they know every file");
        await model.checkByAll();
        await model.apply({
          upserts: `SELECT * RENAME (name AS "full name"), 'm' AS note FROM (${rows("0, 9", "last")})`,
        });
        assert.ok(await mergeOnce(model.scene));
        assert.ok(await expireOnce(model.scene) > 0);
        await filesAreThoseReferred(model.scene);
        await model.checkByAll("id = 3");
      }),
  );

  await pythonTest(
    "Paimon without a key: Java appends, merges files and expires snapshots",
    (python) =>
      withDatabase(async (fixture) => {
        const shared = new SharedTable(fixture, python, { ...holders, key: [] });
        const { model } = shared;
        await model.create();
        for (let step = 0; step < 6; step++) await model.apply({ upserts: rows(`${step}, ${step + 10}`, `${step}`) });
        await shared.theirs(rows("0, 5", "theirs"));
        await model.apply({ upserts: rows("50, 60", "after theirs") });
        const { totalFiles } = await model.checkByAll();
        assert.equal(await model.byJava({ do: "compact" }), 1);
        await model.apply({ upserts: rows("60, 70", "after the merge") });
        assert.ok((await model.checkByAll("id >= 55")).totalFiles < totalFiles);
        assert.ok(await model.byJava({ do: "expire", keep: 2 }) as number > 5);
        assert.deepEqual(await model.byJava({ do: "clean" }), [], "they know every file");
        await model.apply({ upserts: rows("70, 80", "after the expiry") });
        await filesAreThoseReferred(model.scene);
        await model.checkByAll("id >= 65");
      }),
  );

  Deno.test("Java expires every snapshot that says how far the source was read: the next run copies the table again", () =>
    withPostgres(({ url, client }) =>
      withDatabase(async (fixture) => {
        await client.query(`
          CREATE SCHEMA bank;
          CREATE TABLE bank.cards (id bigint PRIMARY KEY, name text);
          INSERT INTO bank.cards SELECT n, 'card ' || n FROM generate_series(1, 300) AS n`);
        const { folder: lake, connection } = fixture;
        const flags = { formats: "paimon", upkeep: "off" };
        const capture = { url, lake, icebergVersion: "3", tables: { tables: ["bank.*"] }, flags } as const;
        await captureIntoLake(capture, async (caughtUp) => {
          await caughtUp();
          await client.query("UPDATE bank.cards SET name = 'changed' WHERE id % 3 = 0");
        });
        const place = { lake, table: "bank.cards" };
        await java.running!.change(place, { do: "compact" });
        assert.ok(await java.running!.change(place, { do: "expire", keep: 1 }) as number > 1);
        const named = { namespace: "bank", name: "cards" };
        const table = new PaimonTable({ storage: new LocalStorage(lake), connection, folder: "paimon", ...named });
        const { rows, position } = (await table.load())!;
        assert.deepEqual([rows, position], [300n, undefined]);
        await client.query(
          "DELETE FROM bank.cards WHERE id % 7 = 0; UPDATE bank.cards SET name = 'y' WHERE id % 5 = 0",
        );
        const [captured] = await captureIntoLake(capture);
        const output = `${lake}/read.parquet`;
        const report = await java.running!.read({ ...place, output });
        const source = await PostgresConnection.open(url);
        await using _source = { [Symbol.asyncDispose]: () => source.close() };
        const scan = `SELECT * FROM read_parquet('${output}')`;
        await sameAsSource({ source, table: captured!, fixture, rows: report.rows, scan });
      })
    ));
}
