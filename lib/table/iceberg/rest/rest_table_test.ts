/** Tables of a REST catalog: made, found, kept up, and where their files are. What becomes of commits is in `rest_commit_test.ts`. */
import assert from "node:assert/strict";
import { LocalStorage } from "../../../storage/local.ts";
import type { OtherPlace } from "../../../storage/other_place.ts";
import { definition, once, onRestCatalog } from "../../../testing/rest_scene.ts";
import type { UpkeepPolicy } from "../../upkeep.ts";

Deno.test("a table is made with its namespace, keeps the numbers of its columns, and is made once", () =>
  onRestCatalog(async (scene) => {
    const made = await scene.open().create(definition);
    assert.deepEqual(made.key, ["name", "id"]);
    assert.equal(made.metadata["format-version"], 3);
    assert.equal(made.metadata.location, scene.storage.uri("iceberg/bank/holders"));
    const again = await scene.open().create(definition);
    assert.deepEqual(again.metadata, made.metadata);
    assert.deepEqual(await scene.files(), []);
  }));

for (const fault of ["after", "hang", "twice", { status: 409 }] as const) {
  Deno.test(`a creation whose answer is lost or misleading (${JSON.stringify(fault)}) is looked up`, () =>
    onRestCatalog(async (scene) => {
      if (fault === "hang") scene.timeoutMs = 300;
      scene.server.plan = once(fault);
      const isMade = typeof fault === "string";
      const made = scene.open().create(definition);
      if (isMade) assert.deepEqual((await made).key, ["name", "id"]);
      else await assert.rejects(made, { kind: "conflict" });
    }));
}

Deno.test("a creation that did not happen is an error, and happens the next time", () =>
  onRestCatalog(async (scene) => {
    scene.server.plan = once("before");
    await assert.rejects(scene.open().create(definition), { kind: "connection" });
    assert.deepEqual((await scene.open().create(definition)).key, ["name", "id"]);
  }));

Deno.test("a table whose past somebody else keeps loses no snapshot of it", () =>
  onRestCatalog(async (scene) => {
    const table = scene.open();
    await table.create(definition);
    for (const id of [1, 2]) await table.commit(await scene.staged(table, [id]));
    scene.change({ action: "set-properties", updates: { "gc.enabled": "false" } });
    const state = (await table.load())!;
    assert.ok(table.isKeptByOthers(state));
    const policy = { keepSnapshotsMs: 0, keepSnapshots: 1 } as UpkeepPolicy;
    assert.deepEqual(await table.expire(state, policy, { nowMs: Date.now() + 1 }), { snapshots: 0, unneeded: [] });
  }));

Deno.test("files are merged and old snapshots leave through the catalog, and what it keeps itself is referred to", () =>
  onRestCatalog(async (scene) => {
    const table = scene.open();
    await table.create(definition);
    for (const id of [1, 2, 3]) await table.commit(await scene.staged(table, [id]));
    const policy = {
      targetFileBytes: 2 ** 20,
      mergeFiles: 2,
      deletedShare: 0.3,
      keepSnapshotsMs: 0,
      keepSnapshots: 1,
      orphanAgeMs: 0,
    };
    const state = (await table.load())!;
    const merged = await table.compact(state, table.planCompaction(state, policy)!, scene.fixture.connection);
    assert.equal((await table.commit(table.stage(state, merged))).outcome, "committed");
    const expiry = await table.expire((await table.load())!, policy, { nowMs: Date.now() + 1 });
    assert.deepEqual([expiry.result?.outcome, expiry.snapshots], ["committed", 3]);
    const before = await scene.files();
    for (const path of expiry.unneeded) await scene.storage.delete(path);
    // The catalog's own metadata is not ours to remove, however it spells its path.
    await scene.storage.put("iceberg/bank/holders/metadata/00007-x.metadata.json", new Uint8Array(1));
    const fresh = scene.open();
    const newest = (await fresh.load())!;
    assert.deepEqual([newest.rows, newest.files.size, newest.metadata.snapshots.length], [3n, 1, 1]);
    assert.equal(newest.position?.offset, "0/3");
    const referenced = await fresh.referenced(newest);
    assert.deepEqual((await scene.files()).filter((path) => !referenced.has(path)), []);
    assert.ok((await scene.files()).length < before.length);
    assert.equal(await scene.ids(), "1,2,3");
  }));

Deno.test("a table that did not move is not sent again, with tags and without", () =>
  onRestCatalog(async (scene) => {
    for (const hasTags of [true, false]) {
      scene.server.behaviour.hasTags = hasTags;
      const table = scene.open();
      const state = await table.create(definition);
      assert.equal(await table.load(), state);
      assert.equal(scene.server.calls.at(-1)!.headers.has("if-none-match"), hasTags);
      const other = scene.open();
      await other.commit(await scene.staged(other, [1]));
      assert.notEqual(await table.load(), state);
    }
  }));

/** Reaches every place, as a bucket does. */
class ReachingStorage extends LocalStorage {
  readonly reached: OtherPlace[] = [];

  reach(place: OtherPlace): string {
    this.reached.push(place);
    return "iceberg/elsewhere";
  }
}

Deno.test("in an object store the catalog says where a table is, and gives out the keys that its files are reached with", () =>
  onRestCatalog(async (scene) => {
    const keys = { "s3.access-key-id": "given", "s3.secret-access-key": "x", "s3.endpoint": "http://127.0.0.1:9000" };
    scene.server.behaviour.loaded = { "storage-credentials": [{ prefix: "", config: keys }] };
    const storage = new ReachingStorage(`${scene.fixture.folder}/lake`);
    await scene.open(storage).create(definition);
    const [staging] = scene.server.calls.filter(({ path }) => path.endsWith("/tables"));
    assert.equal(staging!.headers.get("x-iceberg-access-delegation"), "vended-credentials");
    assert.equal((JSON.parse(staging!.body) as Record<string, unknown>).location, undefined);
    const { uri, access } = storage.reached.at(-1)!;
    assert.equal(uri, "s3://warehouse/bank.holders");
    assert.equal(access?.endpoint, "http://127.0.0.1:9000");
    assert.equal((await access.credentials()).accessKeyId, "given");
  }));

Deno.test("a table that the catalog keeps outside of the lake is refused with its place", () =>
  onRestCatalog(async (scene) => {
    scene.server.tables.namespaces.add("/bank");
    scene.server.tables.commit("/bank.holders", {
      requirements: [{ type: "assert-create" }],
      updates: [
        { action: "assign-uuid", uuid: crypto.randomUUID() },
        { action: "upgrade-format-version", "format-version": 2 },
        { action: "add-schema", schema: { type: "struct", "schema-id": 0, fields: [] } },
        { action: "set-current-schema", "schema-id": -1 },
        { action: "add-spec", spec: { "spec-id": 0, fields: [] } },
        { action: "set-default-spec", "spec-id": -1 },
        { action: "set-location", location: "s3://elsewhere/bank/holders" },
      ],
    });
    await assert.rejects(scene.open().load(), {
      kind: "precondition",
      message: "The Iceberg catalog keeps bank.holders where the lake cannot reach it",
    });
  }));
