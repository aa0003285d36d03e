/** Upkeep of Iceberg tables of several row groups, and beside a writer that goes on. Random steps are in `upkeep_test.ts`. */
import assert from "node:assert/strict";
import type { Connection } from "../../lib/engine/connection.ts";
import type { IcebergTable } from "../../lib/table/iceberg/iceberg_table.ts";
import { withDatabase } from "../../lib/testing/temporary.ts";
import { eagerPolicy, mergeOnce } from "../interop/upkeep_steps.ts";
import { icebergShape } from "./iceberg_shape.ts";
import { UpkeepScene } from "./upkeep_scene.ts";

for (const isSorted of [false, true]) {
  Deno.test(`rows of several row groups, merged by two threads ${isSorted ? "and sorted " : ""}while a tenth of them is deleted`, () =>
    withDatabase(async (fixture) => {
      const scene = new UpkeepScene(fixture, icebergShape({ formatVersion: 3, isPartitioned: false, isSorted }));
      await scene.model.create();
      const rows = (range: string) =>
        `SELECT range AS id, TIMESTAMPTZ '2026-01-01 00:00:00+00' AS seen, md5(range::VARCHAR) AS name FROM range(${range})`;
      for (const start of [0, 150_000, 300_000]) {
        await scene.model.apply({ upserts: rows(`${start}, ${start + 150_000}`) });
      }
      await scene.model.apply({ removals: "SELECT range AS id FROM range(100000, 400000, 11)" });
      const isMerged = await mergeOnce({ ...scene, table: scene.own }, async () => {
        await scene.model.apply({
          upserts: rows("0, 450000, 97"),
          removals: "SELECT range AS id FROM range(3, 450000, 10)",
        });
      });
      assert.ok(isMerged);
      await scene.check();
    }, { threads: 2 }));
}

Deno.test("a writer and upkeep by another process race for every version: no row is lost, none comes back", async (test) => {
  await withDatabase(async (fixture) => {
    const scene = new UpkeepScene(fixture, icebergShape({ formatVersion: 3, isPartitioned: false, isSorted: false }));
    await scene.model.create();
    let isWriting = true;
    const left = new Set<string>();
    const other = scene.open(await fixture.database.connect());
    const counts = { merged: 0, conflicts: 0, expired: 0 };
    const upkeep = async () => {
      const connection = await fixture.database.connect();
      while (isWriting) {
        await mergeAgainst(other, connection, counts);
        // What it names goes at the end: the writer may still read what it knew before.
        const expiry = await other.expire((await other.load())!, { ...eagerPolicy, keepSnapshots: 8 }, {
          nowMs: Date.now(),
        });
        if (expiry.result?.outcome !== "committed") continue;
        counts.expired += expiry.snapshots;
        for (const path of expiry.unneeded) left.add(path);
      }
      connection.close();
    };
    const write = async () => {
      for (let step = 0; step < 40; step++) {
        await scene.model.apply({
          upserts: `SELECT range AS id, NULL AS seen, 'v${step}' AS name FROM range(${step * 3}, ${step * 3 + 40})`,
          removals: `SELECT range AS id FROM range(${step}, ${step + 5})`,
        });
      }
      isWriting = false;
    };
    await Promise.all([write(), upkeep()]);
    for (const path of left) await scene.storage.delete(path);
    await scene.check();
    const needed = await scene.own.referenced((await scene.own.load())!);
    for (const path of needed) assert.ok(await scene.storage.stat(path), path);
    await test.step(`${counts.merged} merges, ${counts.conflicts} conflicts, ${counts.expired} snapshots expired`, () => {
      assert.ok(counts.merged > 0 && counts.expired > 0);
    });
  }, { threads: 2 });
});

async function mergeAgainst(
  table: IcebergTable,
  connection: Connection,
  counts: { merged: number; conflicts: number },
): Promise<void> {
  const base = (await table.load())!;
  const plan = table.planCompaction(base, eagerPolicy);
  if (plan === undefined) return void await new Promise((resolve) => setTimeout(resolve, 5));
  let prepared = await table.compact(base, plan, connection);
  for (;;) {
    const state = (await table.load())!;
    const fitted = await table.rebase(state, prepared);
    if (fitted === undefined) return await table.discard(prepared);
    const { outcome } = await table.commit(table.stage(state, fitted));
    if (outcome === "committed") return void counts.merged++;
    assert.equal(outcome, "conflict");
    counts.conflicts++;
    prepared = fitted;
  }
}
