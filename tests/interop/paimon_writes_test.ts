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

  /** Another writer makes the table. */
  async madeByThem(options: Readonly<Record<string, string>>): Promise<void> {
    const { namespace, key, partitionBy = [] } = this.model.definition;
    const source = this.#source();
    await source.create();
    await this.model.byJava({
      do: "create",
      from: `${namespace}.${source.definition.name}`,
      key,
      partitionBy,
      options,
    });
    await this.model.create();
  }

  /** Another writer adds rows, or takes them away by key. */
  async theirs(select: string, kind: "+I" | "-D" = "+I"): Promise<void> {
    const { namespace, key } = this.model.definition;
    const source = this.#source();
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

  #source(): PaimonModel {
    const { namespace, columns } = this.model.definition;
    return this.#open({ namespace, name: `source_${this.#sources++}`, key: [], columns });
  }

  #open(definition: TableDefinition): PaimonModel {
    return new PaimonModel(this.#fixture, { definition, python: this.#python, java: java.running });
  }
}

/** A keyed table in partitions. */
function visits(name: string, partitionBy: readonly string[]): TableDefinition {
  const columns = [
    { name: "id", type: types.int64, nullable: false },
    { name: "day", type: types.date, nullable: false },
    { name: "place", type: types.string, nullable: false },
    { name: "since", type: types.string, nullable: false },
    { name: "note", type: types.string, nullable: true },
  ];
  return { namespace: "bank", name, columns, key: ["id", "day", "place", "since"], partitionBy };
}

/** SELECT of rows: of five days, each with a place of its own, and every other one of long ago. */
function visitRows(range: string, note: string): string {
  return `SELECT i AS id, DATE '2026-01-01' + (i % 5)::INTEGER AS day,
    ['a', 'b/c=d', '10 % é', 'x:y', 'e*'][1 + i % 5] AS place,
    CASE WHEN i % 2 = 0 THEN '2026-01-01' ELSE '2001-01-01' END AS since, '${note} ' || i AS note
    FROM range(${range}) AS ids(i)`;
}

function removed(range: string): string {
  return `SELECT id, day, place, since FROM (${visitRows(range, "")})`;
}

/** Takes partitions out of a table as upkeep does. Gives how many. */
async function expirePartitions({ table }: PaimonModel): Promise<number> {
  const state = (await table.load())!;
  const { partitions } = table.expiredPartitions(state, Date.now());
  assert.equal((await table.expirePartitions(state, Date.now()))?.outcome, "committed");
  return partitions;
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

  await pythonTest(
    "Paimon in partitions, some of which no folder can be called by: Java upserts, deletes, compacts and expires snapshots",
    (python) =>
      withDatabase(async (fixture) => {
        const shared = new SharedTable(fixture, python, visits("visits", ["day", "place"]));
        const { model } = shared;
        await model.create();
        await model.apply({ upserts: visitRows("0, 100", "ours") });
        await shared.theirs(`${visitRows("50, 70", "theirs")} UNION ALL ${visitRows("200, 205", "theirs")}`);
        await model.apply({ upserts: visitRows("60, 120", "again"), removals: removed("200, 201") });
        await shared.theirs(visitRows("0, 10", "gone"), "-D");
        const filters = ["day = '2026-01-03'", "place = 'b/c=d'", "day = '2026-01-04' AND id = 63"];
        const { planned, totalFiles } = await model.checkByAll(...filters);
        assert.ok(planned.every(({ files, rows }) => rows > 0 && files <= totalFiles / 3), "partitions are left out");
        await model.byJava({ do: "compact" });
        await model.apply({ upserts: visitRows("5, 25", "after their merge"), removals: removed("201, 202") });
        assert.ok(await mergeOnce(model.scene, () => shared.theirs(visitRows("100, 110", "meanwhile"))));
        assert.ok(await model.byJava({ do: "expire", keep: 2 }) as number > 5);
        assert.deepEqual(await model.byJava({ do: "clean" }), [], "they know every file");
        await filesAreThoseReferred(model.scene);
        await model.checkByAll(filters[2]!);
      }),
  );

  await pythonTest(
    "Paimon in partitions that Java made: we read it, go on with it, and partitions leave by either's hand",
    (python) =>
      withDatabase(async (fixture) => {
        const shared = new SharedTable(fixture, python, visits("theirs", ["day", "since"]));
        const { model } = shared;
        await shared.madeByThem({
          bucket: "2",
          "partition.expiration-time": "3650 d",
          "partition.timestamp-pattern": "$since",
        });
        await shared.theirs(visitRows("0, 40", "theirs"));
        await model.checkByAll("day = '2026-01-03'");
        await model.apply({ upserts: visitRows("30, 80", "ours"), removals: removed("3, 5") });
        assert.ok(await mergeOnce(model.scene));
        await model.checkByAll("since = '2001-01-01'");
        const { folder } = (await model.table.load())!.files[0]!.place;
        assert.match(folder, /^day=2045\d\/since=20[02][16]-01-01\/bucket-\d$/, "a date by its number, as Java does");

        const left = async () => await model.applyToOracle(`DELETE FROM ${model.oracle} WHERE since = '2001-01-01'`);
        assert.equal((await model.byJava({ do: "expirePartitions" }) as unknown[]).length, 5);
        await left();
        await model.checkByAll();
        await model.apply({ upserts: visitRows("70, 100", "late") });
        assert.equal(await expirePartitions(model), 5);
        await left();
        await model.checkByAll("since = '2001-01-01'", "id = 90");
        assert.deepEqual(await model.byJava({ do: "expirePartitions" }), []);
        assert.ok(await expireOnce(model.scene) > 0);
        await filesAreThoseReferred(model.scene);
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
