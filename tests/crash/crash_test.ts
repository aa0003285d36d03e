/**
 * Killed anywhere, restarted, and held against the source: 0 missing, 0 extra, 0 different in both formats. A kill counts only
 * after a table commit of the same run, but for those of the initial copy, which makes the first.
 */
import assert from "node:assert/strict";
import { PaymentsWriter } from "../../lib/generate/payments_writer.ts";
import { batchFailPoints, copyStepFailPoints } from "../../lib/pipeline/fail_points.ts";
import { copyFailPoints } from "../../lib/source/postgres/initial_copy.ts";
import { icebergFailPoints } from "../../lib/table/iceberg/fail_points.ts";
import { paimonFailPoints } from "../../lib/table/paimon/fail_points.ts";
import { CrashChild } from "./crash_child.ts";
import { dropSlots, runToEnd, type Scene, untilCapturing, withScene } from "./scene.ts";

/**
 * Rows of every kind: payments, changed, deleted and moved holders, a new column, and values the lake cannot hold, the last of
 * them in a batch that comes after a table commit.
 */
async function changeEverything({ writer, client }: Scene, round: number): Promise<void> {
  const refused = "UPDATE transactions SET settlementdate = 'infinity' WHERE _id = (SELECT max(_id) FROM transactions)";
  await writer.stream({ payments: 200, churnShare: 0.3 });
  await client.query(refused);
  await client.query(`ALTER TABLE accountholders ADD COLUMN added_${round} integer`);
  await writer.stream({ payments: 300, churnShare: 0.3 });
  await client.query(refused);
}

Deno.test("killed at every step of every sink and of the pipeline, a restart leaves every row once", async (test) => {
  await withScene(async (scene) => {
    const { url, lake } = scene;
    await runToEnd(scene);
    for (const [round, point] of [...icebergFailPoints, ...paimonFailPoints, ...batchFailPoints].entries()) {
      await changeEverything(scene, round);
      const hits = await new CrashChild({ url, lake, point }, scene.folder).killed();
      await test.step(`${point}: killed at hit ${hits.get(point)}`, () => runToEnd(scene));
    }
  });
});

Deno.test("an initial copy killed at every step is made anew, once", async (test) => {
  await withScene(async (scene) => {
    const { url } = scene;
    for (const point of [...copyFailPoints, ...copyStepFailPoints]) {
      const lake = `${scene.folder}/${point}`;
      const hits = await new CrashChild({ url, lake, point, atOnce: true }, scene.folder).killed();
      await test.step(`${point}: killed at hit ${hits.get(point)}`, () => runToEnd({ ...scene, lake }));
      await dropSlots(scene.client);
    }
  });
});

Deno.test("killed at random while rows flow, with busy and idle tables, 20 times", async (test) => {
  await withScene(async (scene) => {
    const { url, lake } = scene;
    await runToEnd(scene);
    for (let kill = 0; kill < 20; kill++) {
      const child = new CrashChild({ url, lake, follow: true }, scene.folder);
      await child.until(/streaming/);
      const waitMs = 50 + Math.random() * 900;
      const timer = setTimeout(() => child.kill("SIGKILL"), waitMs);
      // Every other round the account holders are idle beside busy payments.
      await scene.writer.stream({ payments: 300, rate: 1000, churnShare: kill % 2 === 0 ? 0.2 : 0 });
      await child.killed();
      clearTimeout(timer);
    }
    await test.step("after 20 kills", () => runToEnd(scene));
  });
});

Deno.test("a server that restarts under it costs nothing", async () => {
  await withScene(async (scene) => {
    const { url, lake } = scene;
    await scene.writer.close();
    const child = new CrashChild({ url, lake, follow: true }, scene.folder);
    await child.until(/streaming/);
    await untilCapturing(scene.client);
    await using before = await PaymentsWriter.open({ url: scene.url });
    await before.stream({ payments: 500, churnShare: 0.2 });
    await before.close();
    await scene.restartServer();
    await using after = await PaymentsWriter.open({ url: scene.url });
    await after.stream({ payments: 500, churnShare: 0.2 });
    child.kill("SIGINT");
    assert.equal((await child.report()).error, undefined);
    await runToEnd(scene);
  });
});

Deno.test("a second instance on the same lake is fenced and the first goes on", async () => {
  await withScene(async (scene) => {
    const { url, lake } = scene;
    const first = new CrashChild({ url, lake, follow: true }, scene.folder);
    await first.until(/streaming/);
    const second = await new CrashChild({ url, lake }, scene.folder).report();
    assert.equal(second.error?.kind, "fenced");
    first.kill("SIGINT");
    assert.equal((await first.report()).error, undefined);
    await runToEnd(scene);
  });
});

Deno.test("a slot that was moved on behind its back, or dropped, is refused", async () => {
  await withScene(async (scene) => {
    const { url, lake } = scene;
    await runToEnd(scene);
    await scene.writer.stream({ payments: 50 });
    await scene.client.query(
      "SELECT pg_replication_slot_advance(slot_name, pg_current_wal_lsn()) FROM pg_replication_slots",
    );
    assert.equal((await new CrashChild({ url, lake }, scene.folder).report()).error?.kind, "sourceLost");
    await dropSlots(scene.client);
    assert.equal((await new CrashChild({ url, lake }, scene.folder).report()).error?.kind, "sourceLost");
  });
});
