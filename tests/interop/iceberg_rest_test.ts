/** Our tables in the REST catalog of the Apache project, read by pyiceberg through it. Both write in `catalog_peer_test.ts`. */
import assert from "node:assert/strict";
import { types } from "../../lib/dataset/column_type.ts";
import { LocalStorage } from "../../lib/storage/local.ts";
import { withDatabase } from "../../lib/testing/temporary.ts";
import { CatalogModel, type CatalogScene } from "./catalog_model.ts";
import { everyType, everyTypeRows } from "./every_type.ts";
import { holders, rows } from "./holders.ts";
import { pythonTest } from "./python_env.ts";
import { missingServer, RestServer } from "./rest_server.ts";

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

async function catalogTest(name: string, body: (scene: CatalogScene) => Promise<void>): Promise<void> {
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
