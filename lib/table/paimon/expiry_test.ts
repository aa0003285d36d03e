import assert from "node:assert/strict";
import { armFailPoints } from "../../fail_point.ts";
import {
  churn,
  churnedRows,
  churnStep,
  compactAll,
  eagerPolicy,
  expireAll,
  orderRows,
  wholePolicy,
} from "../../testing/paimon_churn.ts";
import { applyStep, paimonChange, type PaimonLake, rowsOf, withPaimonLake } from "../../testing/paimon_lake.ts";
import { paimonExpiryFailPoints } from "./fail_points.ts";
import { PaimonTable } from "./paimon_table.ts";
import type { PointInHistory } from "./time_travel.ts";

/** Paths of all files of the table, hints included. */
async function filesOf(lake: PaimonLake): Promise<readonly string[]> {
  const paths: string[] = [];
  for await (const { path } of lake.storage.list("paimon/shop.db/orders")) paths.push(path);
  return paths.sort();
}

/** What is there is what is referred to. Hints may be missing. */
async function assertClean(lake: PaimonLake, table: PaimonTable): Promise<void> {
  const referenced = await table.referenced((await table.load())!);
  assert.deepEqual(await filesOf(lake), [...referenced].sort());
}

async function rowsAt(lake: PaimonLake, table: PaimonTable, snapshotId: bigint): Promise<readonly string[]> {
  const { sql: select } = await table.scan((await table.at((await table.load())!, { snapshotId }))!);
  const rows = await lake.connection.rows(`SELECT t::VARCHAR AS line FROM (${select}) AS t ORDER BY 1`);
  return rows.map((row) => row.line as string);
}

Deno.test("expiry removes exactly the files that no kept snapshot needs, also after compactions and changed levels", async () => {
  await withPaimonLake(async (lake) => {
    const table = lake.open({ buckets: 2 });
    for (let from = 0; from < 12; from += 3) {
      await churn(lake, table, { from, to: from + 3 });
      await compactAll(lake, table, { ...eagerPolicy, targetFileBytes: 8000 });
      assert.ok((await expireAll(lake, table)).length > 0);
      await assertClean(lake, table);
      assert.deepEqual(await rowsOf(lake, lake.open()), await churnedRows(lake, from + 3));
    }
    const { snapshotId } = (await table.load())!;
    assert.equal(await lake.storage.stat(`paimon/shop.db/orders/snapshot/snapshot-${snapshotId! - 2n}`), undefined);
    assert.equal((await rowsAt(lake, table, snapshotId! - 1n)).length, (await rowsOf(lake, table)).length);
    const hint = await lake.storage.read("paimon/shop.db/orders/snapshot/EARLIEST");
    assert.equal(new TextDecoder().decode(hint), String(snapshotId! - 1n));
  });
});

Deno.test("what an expiry reads grows with the snapshots that expire, not with the table", async () => {
  await withPaimonLake(async (lake) => {
    let reads = 0;
    const counting = new Proxy(lake.storage, {
      get: (storage, name) => {
        if (name === "read") reads++;
        const value: unknown = Reflect.get(storage, name);
        return typeof value === "function" ? value.bind(storage) : value;
      },
    });
    const { connection } = lake;
    const table = new PaimonTable({
      storage: counting,
      connection,
      folder: "paimon",
      namespace: "shop",
      name: "orders",
    });
    const counts: number[] = [];
    for (let commit = 0; commit < 24; commit++) {
      await applyStep(lake, table, { upserts: orderRows(`${commit}, ${commit + 9}`, "a ") });
      const state = (await table.load())!;
      reads = 0;
      const { snapshots, unneeded } = await table.expire(state, eagerPolicy, { nowMs: Date.now() });
      for (const path of unneeded) await lake.storage.delete(path);
      if (snapshots === 1) counts.push(reads);
    }
    assert.ok(counts.length > 20 && Math.max(...counts) <= 10, counts.join());
  });
});

Deno.test("snapshots are kept by age, at least and at most so many of them", async () => {
  await withPaimonLake(async (lake) => {
    let nowMs = 1_700_000_000_000;
    const table = lake.open({ buckets: 1, now: () => nowMs });
    for (let commit = 0; commit < 6; commit++, nowMs += 1000) {
      await applyStep(lake, table, { upserts: orderRows(`${commit}, ${commit + 1}`, "a ") });
    }
    const state = (await table.load())!;
    const expire = (keepSnapshotsMs: number, keepSnapshots: number, mostSnapshots?: number) =>
      table.expire(state, { ...eagerPolicy, keepSnapshotsMs, keepSnapshots, mostSnapshots }, { nowMs, dryRun: true });
    // The last commit was a second ago, the first six.
    assert.equal((await expire(10_000, 1)).snapshots, 0);
    assert.equal((await expire(3500, 1)).snapshots, 3);
    assert.equal((await expire(0, 1)).snapshots, 5);
    assert.equal((await expire(0, 4)).snapshots, 2);
    assert.equal((await expire(0, 100)).snapshots, 0);
    assert.equal((await expire(10_000, 1, 2)).snapshots, 4);
    assert.equal((await expire(10_000, 3, 2)).snapshots, 3);
    assert.equal((await expire(3500, 1, 100)).snapshots, 3);
    const { unneeded, result } = await expire(0, 1);
    assert.ok(unneeded.length > 0 && result === undefined);
    assert.equal((await table.at(state, { snapshotId: 1n }))?.rows, 1n);
    await expireAll(lake, table);
    assert.equal((await expire(0, 2)).snapshots, 0);
  });
});

Deno.test("a tag keeps its snapshot's files, and gives back those that it alone kept", async () => {
  await withPaimonLake(async (lake) => {
    const table = lake.open({ buckets: 1 });
    await churn(lake, table, { from: 0, to: 3 });
    await assert.rejects(table.createTag("../x", 3n), RangeError);
    await assert.rejects(table.createTag("2026", 3n), RangeError);
    await assert.rejects(table.createTag("later", 9n), { kind: "precondition" });
    await table.createTag("v1", 3n);
    await assert.rejects(table.createTag("v1", 2n), { kind: "precondition" });
    assert.deepEqual((await table.tags()).map(({ name, snapshotId }) => [name, snapshotId]), [["v1", 3n]]);
    for (const from of [3, 6]) {
      await churn(lake, table, { from, to: from + 3 });
      await compactAll(lake, table, wholePolicy);
      await expireAll(lake, table, { ...eagerPolicy, keepSnapshots: 1 });
      await assertClean(lake, table);
    }
    const state = (await table.load())!;
    assert.equal(await table.at(state, { snapshotId: 3n }), undefined);
    const { sql: select } = await table.scan((await lake.open().at(state, { ref: "v1" }))!);
    const tagged = await lake.connection.rows(`SELECT t::VARCHAR AS line FROM (${select}) AS t ORDER BY 1`);
    assert.deepEqual(tagged.map(({ line }) => line), await churnedRows(lake, 3));
    const unneeded = await table.dropTag(state, "v1");
    assert.ok(unneeded.filter((path) => path.endsWith(".parquet")).length >= 3);
    for (const path of unneeded) await lake.storage.delete(path);
    await assertClean(lake, table);
    assert.deepEqual(await table.dropTag((await table.load())!, "v1"), []);
    assert.deepEqual(await rowsOf(lake, lake.open()), await churnedRows(lake, 9));
  });
});

Deno.test("a tag that is made while its snapshot expires keeps the files", async () => {
  await withPaimonLake(async (lake) => {
    const table = lake.open({ buckets: 1 });
    await churn(lake, table, { from: 0, to: 3 });
    const { snapshotId } = (await table.load())!;
    await churn(lake, table, { from: 3, to: 6 });
    await compactAll(lake, table, wholePolicy);
    armFailPoints(async (name) => {
      if (name === "paimon.beforeExpiry") await lake.open().createTag("late", snapshotId!);
    });
    await expireAll(lake, table, { ...eagerPolicy, keepSnapshots: 1 }).finally(() => armFailPoints(undefined));
    const { sql: select } = await table.scan((await lake.open().at((await table.load())!, { ref: "late" }))!);
    const tagged = await lake.connection.rows(`SELECT t::VARCHAR AS line FROM (${select}) AS t ORDER BY 1`);
    assert.deepEqual(tagged.map(({ line }) => line), await churnedRows(lake, 3));
    await assertClean(lake, table);
  });
});

Deno.test("stopped at any point of an expiry, nothing that is needed is gone and the next one takes the rest", async () => {
  await withPaimonLake(async (lake) => {
    for (const [round, point] of paimonExpiryFailPoints.entries()) {
      const table = lake.open({ buckets: 1 });
      await churn(lake, table, { from: 2 * round, to: 2 * round + 2 });
      await compactAll(lake, table, wholePolicy);
      let hits = 0;
      armFailPoints((name) => {
        if (name === point && ++hits > 0) throw new Error("stopped");
      });
      const state = (await table.load())!;
      const stopped = await table.expire(state, { ...eagerPolicy, keepSnapshots: 1 }, { nowMs: Date.now() });
      armFailPoints(undefined);
      assert.deepEqual([hits, stopped.result?.outcome, stopped.unneeded], [1, "unknown", []], point);
      const present = new Set(await filesOf(lake));
      const referenced = await lake.open().referenced(state);
      assert.ok([...referenced].every((path) => present.has(path)), point);
      assert.deepEqual(await rowsOf(lake, lake.open()), await churnedRows(lake, 2 * round + 2));
      await expireAll(lake, lake.open(), { ...eagerPolicy, keepSnapshots: 1 });
      // What the stopped expiry did not name any more is an orphan: there, and not referred to.
      for (const path of await filesOf(lake)) if (!referenced.has(path)) await lake.storage.delete(path);
      await assertClean(lake, lake.open());
    }
  });
});

for (const moment of ["before it commits", "at its last moment"] as const) {
  Deno.test(`a writer whose snapshot others expired ${moment} is told, whatever names are free again`, async () => {
    await withPaimonLake(async (lake) => {
      const [idle, busy] = [lake.open({ buckets: 1 }), lake.open({ buckets: 1 })];
      await churn(lake, idle, { from: 0, to: 2 });
      const state = (await idle.load())!;
      const prepared = await idle.prepare(state, await paimonChange(lake.connection, { offset: "0/99" }));
      const overtake = async () => {
        armFailPoints(undefined);
        await churn(lake, busy, { from: 2, to: 6 });
        await expireAll(lake, busy);
      };
      if (moment === "before it commits") await overtake();
      else armFailPoints((name) => name === "paimon.beforeCommit" ? overtake() : undefined);
      const before = await lake.open().load();
      assert.deepEqual(await idle.commit(idle.stage(state, prepared)), { outcome: "conflict" });
      if (moment === "before it commits") assert.equal((await lake.open().load())?.snapshotId, before?.snapshotId);
      assert.deepEqual(await rowsOf(lake, idle), await churnedRows(lake, 6));
      await assertClean(lake, lake.open());
    });
  });
}

Deno.test("the writer's progress outlives its own snapshots", async () => {
  await withPaimonLake(async (lake) => {
    const table = lake.open({ buckets: 1 });
    await churn(lake, table, { from: 0, to: 7 });
    await compactAll(lake, table, eagerPolicy);
    await expireAll(lake, table, { ...eagerPolicy, keepSnapshots: 1 });
    const state = (await lake.open().load())!;
    assert.deepEqual([state.snapshotId, state.commitIdentifier, state.position?.offset], [8n, 7n, "0/7"]);
    // A compactor of another maker carries nothing on: the last snapshot that tells the progress stays.
    const other = lake.open({ commitUser: "other" });
    await applyStep(lake, other, { upserts: orderRows("0, 1", "other ") });
    await applyStep(lake, other, { upserts: orderRows("1, 2", "other ") });
    const expiry = await lake.open().expire((await lake.open().load())!, { ...eagerPolicy, keepSnapshots: 1 }, {
      nowMs: Date.now(),
    });
    assert.equal(expiry.snapshots, 0);
    assert.equal((await lake.open().load())!.commitIdentifier, 7n);
  });
});

Deno.test("a consumer keeps what it has still to read, and branches of others stop expiry and cleaning", async () => {
  await withPaimonLake(async (lake) => {
    const table = lake.open({ buckets: 1 });
    await churn(lake, table, { from: 0, to: 5 });
    const text = (value: string) => new TextEncoder().encode(value);
    await lake.storage.put("paimon/shop.db/orders/consumer/consumer-a", text('{"nextSnapshot":3}'));
    const state = (await table.load())!;
    const expire = () => table.expire(state, { ...eagerPolicy, keepSnapshots: 1 }, { nowMs: Date.now(), dryRun: true });
    assert.equal((await expire()).snapshots, 2);
    assert.ok((await table.referenced(state)).has("paimon/shop.db/orders/consumer/consumer-a"));
    await lake.storage.put("paimon/shop.db/orders/branch/branch-b/snapshot/snapshot-1", text("{}"));
    await assert.rejects(expire(), { kind: "precondition" });
    await assert.rejects(table.referenced(state), { kind: "precondition" });
  });
});

Deno.test("an older snapshot is found by its id and by time", async () => {
  await withPaimonLake(async (lake) => {
    let nowMs = 1_700_000_000_000;
    const table = lake.open({ buckets: 1, now: () => nowMs });
    for (let commit = 0; commit < 9; commit++, nowMs += 1000) {
      await applyStep(lake, table, { upserts: orderRows(`${commit}, ${commit + 1}`, "a "), offset: `0/${commit + 1}` });
    }
    const newest = (await table.load())!;
    const count = async (point: PointInHistory) => {
      const state = (await table.at(newest, point))!;
      const rows = Number(await lake.connection.value(`SELECT count(*) FROM (${(await table.scan(state)).sql})`));
      assert.equal(state.position?.offset, `0/${rows}`);
      return rows;
    };
    assert.equal(await count({ snapshotId: 4n }), 4);
    for (const [offsetMs, rows] of [[0, 1], [999, 1], [1000, 2], [5500, 6], [60_000, 9]] as const) {
      assert.equal(await count({ timeMs: 1_700_000_000_000 + offsetMs }), rows);
    }
    await expireAll(lake, table, { ...eagerPolicy, keepSnapshots: 4 });
    assert.equal(await count({ timeMs: 1_700_000_006_500 }), 7);
    for (const point of [{ timeMs: 1_700_000_000_500 }, { snapshotId: 5n }, { snapshotId: 10n }, { ref: "none" }]) {
      assert.equal(await table.at(newest, point), undefined);
    }
  });
});

Deno.test("a writer that slept while its snapshot expired has lost the race, although the next snapshot's name is free again", async () => {
  await withPaimonLake(async (lake) => {
    const [sleeper, other] = [lake.open(), lake.open()];
    await churn(lake, other, { from: 0, to: 2 });
    const state = (await sleeper.load())!;
    const change = await paimonChange(lake.connection, churnStep(2));
    const prepared = await sleeper.prepare(state, change);
    await churn(lake, other, { from: 2, to: 8 });
    await expireAll(lake, other);
    assert.equal(
      await lake.storage.stat(`paimon/shop.db/orders/snapshot/snapshot-${state.snapshotId! + 1n}`),
      undefined,
    );
    assert.equal((await sleeper.commit(sleeper.stage(state, prepared))).outcome, "conflict");
    await sleeper.discard(prepared);
    assert.deepEqual(await rowsOf(lake, lake.open()), await churnedRows(lake, 8));
    await assertClean(lake, other);
  });
});
