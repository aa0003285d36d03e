/** Commits through a REST catalog: answers that are lost, misleading or late, and others who commit too. */
import assert from "node:assert/strict";
import { definition, onRestCatalog, present } from "../../../testing/rest_scene.ts";
import { RestCatalogServer } from "../../../testing/rest_catalog_server.ts";

Deno.test("ids of any size reach the catalog and come back with every digit", () =>
  onRestCatalog(async (scene) => {
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
    onRestCatalog(async (scene) => {
      if (fault === "hang") scene.timeoutMs = 300;
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
  onRestCatalog(async (scene) => {
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

Deno.test("a commit that did not happen is unknown too, keeps its files, and is not found", () =>
  onRestCatalog(async (scene) => {
    const table = scene.open();
    await table.create(definition);
    const { result, staged } = await scene.commitThrough("before", table);
    assert.equal(result.outcome, "unknown");
    assert.equal(await table.isCommitted(staged), false);
    assert.ok(present(await scene.files(), staged));
  }));

Deno.test("a commit that a proxy sent twice is committed, not in conflict with itself", () =>
  onRestCatalog(async (scene) => {
    const table = scene.open();
    await table.create(definition);
    const { result, staged } = await scene.commitThrough("twice", table);
    assert.equal(result.outcome, "committed");
    assert.ok(present(await scene.files(), staged));
    assert.equal((await table.load())!.snapshotId, staged.snapshotId);
  }));

Deno.test("a writer that was overtaken is told, and what it had written for the commit is removed", () =>
  onRestCatalog(async (scene) => {
    const [ours, theirs] = [scene.open(), scene.open()];
    await ours.create(definition);
    const staged = await scene.staged(ours, [1]);
    await theirs.commit(await scene.staged(theirs, [2]));
    assert.deepEqual(await ours.commit(staged), { outcome: "conflict" });
    assert.equal(present(await scene.files(), staged), false);
    assert.equal(await scene.ids(), "2");
  }));

Deno.test("two writers racing lose nothing and commit nothing twice", () =>
  onRestCatalog(async (scene) => {
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
  onRestCatalog(async (scene) => {
    const [ours, theirs] = [scene.open(), scene.open()];
    const before = await ours.create(definition);
    await theirs.load();
    assert.equal((await ours.recordPosition(before, { instance: "test:1/1", offset: "0/9" })).outcome, "committed");
    const stale = await theirs.recordPosition(before, { instance: "test:1/1", offset: "0/5" });
    assert.equal(stale.outcome, "conflict");
    assert.equal((await theirs.load())!.position?.offset, "0/9");
  }));

Deno.test("what a catalog refuses for good is told in its words, and the files are removed", () =>
  onRestCatalog(async (scene) => {
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

Deno.test("where the catalog knows requests by key, a commit is sent again under its own key until it is answered", () =>
  onRestCatalog(async (scene) => {
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
  onRestCatalog(async (scene) => {
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
