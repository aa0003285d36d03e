import assert from "node:assert/strict";
import type { CommitResult } from "../../../change/sink.ts";
import { types } from "../../../dataset/column_type.ts";
import type { TableDefinition } from "../../../dataset/dataset.ts";
import { LocalStorage } from "../../../storage/local.ts";
import type { OtherPlace } from "../../../storage/other_place.ts";
import type { Json } from "../../../testing/catalog_tables.ts";
import type { UpkeepPolicy } from "../../upkeep.ts";
import { relationOf } from "../../../testing/relations.ts";
import { type CatalogCall, type CatalogFault, RestCatalogServer } from "../../../testing/rest_catalog_server.ts";
import { type DatabaseFixture, withDatabase } from "../../../testing/temporary.ts";
import { IcebergTable } from "../iceberg_table.ts";
import type { IcebergStaged } from "../stage_commit.ts";
import { RestCatalog } from "./rest_catalog.ts";
import { RestTable } from "./rest_table.ts";

const definition: TableDefinition = {
  namespace: "bank",
  name: "holders",
  key: ["name", "id"],
  columns: [
    { name: "tags", type: types.list(types.string), nullable: true },
    { name: "id", type: types.int64, nullable: false },
    { name: "name", type: types.string, nullable: false },
  ],
};

class Scene {
  readonly fixture: DatabaseFixture;
  readonly server: RestCatalogServer;
  readonly storage: LocalStorage;
  #position = 0;

  constructor(fixture: DatabaseFixture, server: RestCatalogServer) {
    this.fixture = fixture;
    this.server = server;
    this.storage = new LocalStorage(`${fixture.folder}/lake`);
  }

  /** The table as a newly started process opens it. */
  open(storage = this.storage): IcebergTable {
    const { connection } = this.fixture;
    const { namespace, name } = definition;
    const catalog = new RestCatalog({
      uri: this.server.uri,
      credentials: { kind: "none" },
      timeoutMs: 300,
      firstWaitMs: 1,
    });
    return new IcebergTable({
      storage,
      connection,
      folder: "iceberg/bank/holders",
      namespace,
      name,
      catalog: new RestTable({ catalog, storage, namespace, name }),
    });
  }

  /** Rows staged on what the table is now. */
  async staged(table: IcebergTable, ids: readonly number[], of = definition): Promise<IcebergStaged> {
    const state = (await table.load())!;
    const rows = ids.map((id) => ({ id: String(id), name: `'n${id}'` }));
    return table.stage(
      state,
      await table.prepare(state, {
        definition: of,
        schemaChanges: [],
        truncate: false,
        scope: of.key,
        upserts: await relationOf(this.fixture.connection, { definition: of, rows }),
        position: { instance: "test:1/1", offset: `0/${++this.#position}` },
        commitTimeMs: 0,
      }),
    );
  }

  /** Commits rows while the catalog fails once. */
  async commitThrough(
    fault: CatalogFault,
    table: IcebergTable,
  ): Promise<{ result: CommitResult; staged: IcebergStaged }> {
    const staged = await this.staged(table, [7]);
    this.server.plan = once(fault);
    return { result: await table.commit(staged), staged };
  }

  async ids(): Promise<string> {
    const table = this.open();
    using scan = await table.scan((await table.load())!);
    return String(await this.fixture.connection.value(`SELECT string_agg(id, ',' ORDER BY id) FROM (${scan.sql})`));
  }

  /** Changes the table as another client of the catalog. */
  change(...updates: readonly Json[]): void {
    this.server.tables.commit("/bank.holders", { requirements: [], updates });
  }

  async files(): Promise<string[]> {
    return (await Array.fromAsync(this.storage.list("iceberg"))).map(({ path }) => path);
  }
}

function once(fault: CatalogFault): (call: CatalogCall) => CatalogFault | undefined {
  let isDone = false;
  return (call) => {
    if (isDone || !RestCatalogServer.isCommit(call)) return undefined;
    isDone = true;
    return fault;
  };
}

async function scene(body: (scene: Scene) => Promise<void>): Promise<void> {
  await using server = new RestCatalogServer();
  await withDatabase((fixture) => body(new Scene(fixture, server)));
}

function present(files: readonly string[], { manifests, manifestList }: IcebergStaged): boolean {
  const paths = [...manifests, manifestList!].map(({ path }) => path);
  return paths.every((path) => files.includes(path));
}

Deno.test("a table is made with its namespace, keeps the numbers of its columns, and is made once", () =>
  scene(async (scene) => {
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
    scene(async (scene) => {
      scene.server.plan = once(fault);
      const isMade = typeof fault === "string";
      const made = scene.open().create(definition);
      if (isMade) assert.deepEqual((await made).key, ["name", "id"]);
      else await assert.rejects(made, { kind: "conflict" });
    }));
}

Deno.test("a creation that did not happen is an error, and happens the next time", () =>
  scene(async (scene) => {
    scene.server.plan = once("before");
    await assert.rejects(scene.open().create(definition), { kind: "connection" });
    assert.deepEqual((await scene.open().create(definition)).key, ["name", "id"]);
  }));

Deno.test("ids of any size reach the catalog and come back with every digit", () =>
  scene(async (scene) => {
    const table = scene.open();
    await table.create(definition);
    const first = await scene.staged(table, [1]);
    assert.equal((await table.commit(first)).outcome, "committed");
    assert.equal((await scene.open().load())!.snapshotId, first.snapshotId);
    await table.commit(await scene.staged(table, [2]));
    const { body } = scene.server.calls.filter(RestCatalogServer.isCommit).at(-1)!;
    assert.ok(body.includes(`{"type":"assert-ref-snapshot-id","ref":"main","snapshot-id":${first.snapshotId}}`));
    assert.equal(await scene.ids(), "1,2");
  }));

for (const fault of ["after", "cut", "hang"] as const) {
  Deno.test(`a commit that happened although its answer is lost (${fault}) is unknown, and found by its snapshot`, () =>
    scene(async (scene) => {
      const table = scene.open();
      await table.create(definition);
      const { result, staged } = await scene.commitThrough(fault, table);
      assert.equal(result.outcome, "unknown");
      assert.ok(await table.isCommitted(staged));
      assert.ok(present(await scene.files(), staged));
      assert.equal(await scene.ids(), "7");
    }));
}

Deno.test("a commit is found where the catalog shows the newest snapshot alone, and that is somebody else's by now", () =>
  scene(async (scene) => {
    const table = scene.open();
    await table.create(definition);
    const { staged } = await scene.commitThrough("after", table);
    scene.change(
      {
        action: "add-snapshot",
        snapshot: {
          ...staged.next.metadata.snapshots[0],
          "snapshot-id": 5n,
          "sequence-number": 2n,
          "first-row-id": 1n,
        },
      },
      { action: "set-snapshot-ref", "ref-name": "main", type: "branch", "snapshot-id": 5n },
      { action: "remove-snapshots", "snapshot-ids": [staged.snapshotId] },
    );
    assert.deepEqual((await table.load())!.metadata.snapshots.map((each) => each["snapshot-id"]), [5n]);
    assert.ok(await table.isCommitted(staged));
  }));

Deno.test("a table whose past somebody else keeps loses no snapshot of it", () =>
  scene(async (scene) => {
    const table = scene.open();
    await table.create(definition);
    for (const id of [1, 2]) await table.commit(await scene.staged(table, [id]));
    scene.change({ action: "set-properties", updates: { "gc.enabled": "false" } });
    const state = (await table.load())!;
    assert.ok(table.isKeptByOthers(state));
    const policy = { keepSnapshotsMs: 0, keepSnapshots: 1 } as UpkeepPolicy;
    assert.deepEqual(await table.expire(state, policy, { nowMs: Date.now() + 1 }), { snapshots: 0, unneeded: [] });
  }));

Deno.test("a commit that did not happen is unknown too, keeps its files, and is not found", () =>
  scene(async (scene) => {
    const table = scene.open();
    await table.create(definition);
    const { result, staged } = await scene.commitThrough("before", table);
    assert.equal(result.outcome, "unknown");
    assert.equal(await table.isCommitted(staged), false);
    assert.ok(present(await scene.files(), staged));
  }));

Deno.test("a commit that a proxy sent twice is committed, not in conflict with itself", () =>
  scene(async (scene) => {
    const table = scene.open();
    await table.create(definition);
    const { result, staged } = await scene.commitThrough("twice", table);
    assert.equal(result.outcome, "committed");
    assert.ok(present(await scene.files(), staged));
    assert.equal((await table.load())!.snapshotId, staged.snapshotId);
  }));

Deno.test("a writer that was overtaken is told, and what it had written for the commit is removed", () =>
  scene(async (scene) => {
    const [ours, theirs] = [scene.open(), scene.open()];
    await ours.create(definition);
    const staged = await scene.staged(ours, [1]);
    await theirs.commit(await scene.staged(theirs, [2]));
    assert.deepEqual(await ours.commit(staged), { outcome: "conflict" });
    assert.equal(present(await scene.files(), staged), false);
    assert.equal(await scene.ids(), "2");
  }));

Deno.test("two writers racing lose nothing and commit nothing twice", () =>
  scene(async (scene) => {
    const keyless = { ...definition, key: [] };
    const tables = [scene.open(), scene.open()];
    await tables[0]!.create(keyless);
    let conflicts = 0;
    await Promise.all(tables.map(async (table, writer) => {
      for (let n = 0; n < 15; n++) {
        const staged = await scene.staged(table, [writer * 100 + n], keyless);
        for (let result = await table.commit(staged); result.outcome !== "committed";) {
          assert.equal(result.outcome, "conflict");
          conflicts++;
          result = await table.commit(await scene.staged(table, [writer * 100 + n], keyless));
        }
      }
    }));
    assert.ok(conflicts > 0, "they met");
    const ids = [...Array(15).keys()];
    assert.equal(await scene.ids(), [...ids, ...ids.map((id) => id + 100)].join(","));
  }));

Deno.test("progress without rows cannot be recorded over other progress", () =>
  scene(async (scene) => {
    const [ours, theirs] = [scene.open(), scene.open()];
    const before = await ours.create(definition);
    await theirs.load();
    assert.equal((await ours.recordPosition(before, { instance: "test:1/1", offset: "0/9" })).outcome, "committed");
    const stale = await theirs.recordPosition(before, { instance: "test:1/1", offset: "0/5" });
    assert.equal(stale.outcome, "conflict");
    assert.equal((await theirs.load())!.position?.offset, "0/9");
  }));

Deno.test("what a catalog refuses for good is told in its words, and the files are removed", () =>
  scene(async (scene) => {
    const table = scene.open();
    await table.create(definition);
    for (const [status, kind] of [[400, "precondition"], [403, "authentication"], [422, "precondition"]] as const) {
      await assert.rejects(scene.commitThrough({ status }, table), {
        kind,
        message:
          `The Iceberg catalog refused to commit to table bank.holders (HTTP ${status}, PlannedException: Planned)`,
      });
      assert.deepEqual((await scene.files()).filter((path) => path.includes("/metadata/")), []);
    }
    assert.equal((await scene.commitThrough({ status: 429 }, table)).result.outcome, "retryable");
    assert.deepEqual((await scene.commitThrough({ status: 404 }, table)).result, { outcome: "conflict" });
  }));

Deno.test("files are merged and old snapshots leave through the catalog, and what it keeps itself is referred to", () =>
  scene(async (scene) => {
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

Deno.test("where the catalog knows requests by key, a commit is sent again under its own key until it is answered", () =>
  scene(async (scene) => {
    scene.server.behaviour.config = { defaults: {}, overrides: {}, "idempotency-key-lifetime": "PT30M" };
    const table = scene.open();
    await table.create(definition);
    const before = scene.server.calls.length;
    assert.equal((await scene.commitThrough("after", table)).result.outcome, "committed");
    scene.server.plan = () => undefined;
    await table.commit(await scene.staged(table, [8]));
    const sent = scene.server.calls.slice(before).filter(RestCatalogServer.isCommit);
    const keys = sent.map(({ headers }) => headers.get("idempotency-key"));
    assert.equal(sent[0]!.body, sent[1]!.body);
    assert.equal(keys[0], keys[1]);
    assert.notEqual(keys[1], keys[2]);
    assert.match(keys[0]!, /^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    assert.equal(await scene.ids(), "7,8");
  }));

Deno.test("a commit whose second sending is refused may have happened the first time: its files stay", () =>
  scene(async (scene) => {
    scene.server.behaviour.config = { defaults: {}, overrides: {}, "idempotency-key-lifetime": "PT30M" };
    const table = scene.open();
    await table.create(definition);
    for (const second of [400, 409, 429]) {
      const staged = await scene.staged(table, [7]);
      const faults = ["before", { status: second }] as const;
      let commits = 0;
      scene.server.plan = (call) => RestCatalogServer.isCommit(call) ? faults[commits++] : undefined;
      assert.equal((await table.commit(staged)).outcome, "unknown");
      assert.ok(present(await scene.files(), staged));
    }
  }));

Deno.test("a table that did not move is not sent again, with tags and without", () =>
  scene(async (scene) => {
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
  scene(async (scene) => {
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
  scene(async (scene) => {
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
