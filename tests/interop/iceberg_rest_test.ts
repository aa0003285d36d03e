/** Tables in a REST catalog of another maker: ours are read and written by pyiceberg through it, and pyiceberg's by us. */
import assert from "node:assert/strict";
import { types } from "../../lib/dataset/column_type.ts";
import type { TableDefinition } from "../../lib/dataset/dataset.ts";
import { LocalStorage } from "../../lib/storage/local.ts";
import { IcebergTable } from "../../lib/table/iceberg/iceberg_table.ts";
import { RestCatalog } from "../../lib/table/iceberg/rest/rest_catalog.ts";
import { RestTable } from "../../lib/table/iceberg/rest/rest_table.ts";
import { type DatabaseFixture, withDatabase } from "../../lib/testing/temporary.ts";
import { everyType, everyTypeRows } from "./every_type.ts";
import { LakeModel } from "./lake_model.ts";
import type { Python } from "./python.ts";
import { pythonTest } from "./python_env.ts";
import { missingServer, RestServer } from "./rest_server.ts";

interface Scene {
  readonly fixture: DatabaseFixture;
  readonly python: Python;
  readonly uri: string;
  readonly namespace: string;
}

interface CatalogReport {
  readonly rows: number;
  readonly columns: readonly string[];
  readonly snapshotId: string | null;
  readonly formatVersion: number;
  readonly properties: Readonly<Record<string, string>>;
  readonly summaries: readonly Readonly<Record<string, string>>[];
}

class CatalogModel extends LakeModel<IcebergTable> {
  readonly #scene: Scene;

  constructor(scene: Scene, declared: TableDefinition, formatVersion: 2 | 3) {
    const { fixture: { folder, connection }, uri, namespace } = scene;
    const definition = { ...declared, namespace };
    const { name } = definition;
    const storage = new LocalStorage(folder);
    const at = { storage, connection, folder: `iceberg/${namespace}/${name}`, namespace, name, formatVersion };
    const catalog = new RestCatalog({ uri, credentials: { kind: "none" } });
    const table = new IcebergTable({ ...at, catalog: new RestTable({ catalog, storage, namespace, name }) });
    super(scene.fixture, { definition, table });
    this.#scene = scene;
  }

  async pyiceberg<T = string>(operation: string, ...args: readonly string[]): Promise<T> {
    const { python, uri } = this.#scene;
    const { namespace, name } = this.definition;
    return await python.run({ script: "iceberg_catalog.py", args: [uri, operation, `${namespace}.${name}`, ...args] });
  }

  async check(): Promise<CatalogReport> {
    const { path, scan } = this.output("pyiceberg");
    const report = await this.pyiceberg<CatalogReport>("read", path);
    await this.same((await this.sink.scan())!.sql, "our scan");
    await this.same(scan, "pyiceberg");
    const status = await this.sink.status();
    assert.deepEqual(report.columns, this.definition.columns.map(({ name }) => name));
    assert.equal(BigInt(report.rows), status.rows);
    assert.equal(report.snapshotId, status.snapshotId?.toString());
    assert.equal(report.properties["weir.position"], this.position);
    return report;
  }
}

const reason = await missingServer();
let folder: string;
let server: RestServer;

if (reason === undefined) {
  Deno.test.beforeAll(async () => {
    folder = await Deno.makeTempDir({ prefix: "weir-" });
    server = await RestServer.start(folder);
  });
  Deno.test.afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await Deno.remove(folder, { recursive: true });
  });
}

/** Each test has a namespace of its own. */
let namespaces = 0;

async function catalogTest(name: string, body: (scene: Scene) => Promise<void>): Promise<void> {
  if (reason !== undefined) {
    Deno.test({ name: `${name} (skipped: ${reason})`, ignore: true, fn: () => {} });
    return;
  }
  const namespace = `test_${++namespaces}`;
  await pythonTest(name, (python) =>
    withDatabase(async (fixture) => {
      await body({ fixture, python, uri: server.uri, namespace });
    }));
}

for (const formatVersion of [2, 3] as const) {
  await catalogTest(
    `v${formatVersion}: a table of ours in a REST catalog, through rows, deletes and schema changes`,
    async (scene) => {
      const model = new CatalogModel(scene, everyType, formatVersion);
      await model.create();
      await model.apply({ upserts: everyTypeRows("0, 500", "first") });
      await model.check();
      await model.apply({
        upserts: everyTypeRows("1, 600, 7", "second"),
        removals: "SELECT range AS id FROM range(0, 550, 3)",
      });
      await model.check();
      await model.apply({
        schemaChanges: [
          { kind: "addColumn", column: { name: "note", type: types.string, nullable: true } },
          { kind: "renameColumn", from: "name", to: "full name" },
          { kind: "widenColumn", name: "small", type: types.int64 },
          { kind: "dropColumn", name: "flag" },
        ],
      });
      await model.apply({
        upserts: `SELECT * EXCLUDE (flag) RENAME (name AS "full name"), 'n' || id AS note FROM (${
          everyTypeRows("500, 700", "third")
        })`,
      });
      await model.sink.recordPosition({ instance: "test:1/1", offset: `0/${model.steps}` });
      assert.equal((await model.check()).formatVersion, formatVersion);
      await model.apply({ truncate: true });
      await model.check();
    },
  );
}

const holders: TableDefinition = {
  namespace: "bank",
  name: "holders",
  key: ["id"],
  columns: [
    { name: "id", type: types.int64, nullable: false },
    { name: "name", type: types.string, nullable: true },
    { name: "seen", type: types.timestamptz, nullable: true },
  ],
};

function rows(range: string, name: string): string {
  return `SELECT i AS id, '${name} ' || i AS name, TIMESTAMPTZ '2026-01-01 00:00:00+00' + INTERVAL (i) HOUR AS seen
    FROM range(${range}) AS ids(i)`;
}

/** What pyiceberg appends, and the same for the oracle. */
const appended = [900, 901].map((id) => ({ id, name: `theirs ${id}`, seen: "2026-02-01T00:00:00+00:00" }));
const appendedSql = appended.map(({ id, name, seen }) => `(${id}, '${name}', TIMESTAMPTZ '${seen}')`).join();

await catalogTest(
  "pyiceberg appends and deletes in our table, and we go on: no row lost, none twice",
  async (scene) => {
    const model = new CatalogModel(scene, holders, 2);
    await model.create();
    await model.apply({ upserts: rows("0, 100", "ours") });
    await model.pyiceberg("append", JSON.stringify(appended));
    await model.applyToOracle(`INSERT INTO ${model.oracle} VALUES ${appendedSql}`);
    // Finds their rows by key, in a file that it has not seen.
    await model.apply({ upserts: rows("50, 120", "again"), removals: "SELECT 900 AS id" });
    await model.check();
    await model.pyiceberg("delete", "id < 10");
    await model.applyToOracle(`DELETE FROM ${model.oracle} WHERE id < 10`);
    await model.apply({ upserts: rows("5, 15", "third") });
    const { summaries } = await model.check();
    assert.ok(summaries.some((summary) => summary["weir.position"] === undefined), "some snapshots are theirs");
  },
);

await catalogTest("a table that pyiceberg made is written by us and read by it", async (scene) => {
  const model = new CatalogModel(scene, holders, 3);
  await model.pyiceberg("create", `file://${scene.fixture.folder}/elsewhere/holders`);
  await model.create();
  assert.equal(model.table.location, `file://${scene.fixture.folder}/elsewhere/holders`);
  await model.apply({ upserts: rows("0, 40", "ours") });
  await model.apply({ upserts: rows("30, 50", "again"), removals: "SELECT range AS id FROM range(0, 10)" });
  assert.equal((await model.check()).formatVersion, 2);
});

await catalogTest("files are merged and snapshots leave through the catalog", async (scene) => {
  const model = new CatalogModel(scene, holders, 3);
  await model.create();
  for (let step = 0; step < 6; step++) {
    await model.apply({ upserts: rows(`${step * 5}, ${step * 5 + 10}`, `step ${step}`) });
  }
  const policy = {
    targetFileBytes: 2 ** 26,
    mergeFiles: 2,
    deletedShare: 0.3,
    keepSnapshotsMs: 0,
    keepSnapshots: 1,
    orphanAgeMs: 0,
  };
  const { table } = model;
  const state = (await table.load())!;
  const merged = await table.compact(state, table.planCompaction(state, policy)!, scene.fixture.connection);
  assert.equal((await table.commit(table.stage(state, merged))).outcome, "committed");
  const expiry = await table.expire((await table.load())!, policy, { nowMs: Date.now() + 1 });
  assert.deepEqual([expiry.result?.outcome, expiry.snapshots], ["committed", 6]);
  const unneeded = new Set(expiry.unneeded);
  const referenced = await table.referenced((await table.load())!);
  for await (const { path } of new LocalStorage(scene.fixture.folder).list("iceberg")) {
    assert.ok(referenced.has(path) !== unneeded.has(path) || path.endsWith(".crc"), `${path} is needed, or is not`);
  }
  await model.apply({ upserts: rows("0, 3", "after") });
  await model.check();
});
