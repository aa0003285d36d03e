/**
 * Killed anywhere, restarted, and held against the source: 0 missing, 0 extra, 0 different in both formats. A kill counts only
 * after a table commit of the same run, but for those of the initial copy, which makes the first.
 */
import assert from "node:assert/strict";
import { stopTimeoutMs } from "../../lib/embedded/server_process.ts";
import { PaymentsWriter } from "../../lib/generate/payments_writer.ts";
import { batchFailPoints, copyStepFailPoints } from "../../lib/pipeline/fail_points.ts";
import { copyFailPoints } from "../../lib/source/postgres/initial_copy.ts";
import { parseLsn } from "../../lib/source/postgres/lsn.ts";
import { icebergFailPoints } from "../../lib/table/iceberg/fail_points.ts";
import { paimonFailPoints } from "../../lib/table/paimon/fail_points.ts";
import { openCapture } from "./capture.ts";
import { CrashChild } from "./crash_child.ts";
import { countTableCommits } from "./lake_files.ts";
import { changeEverything, dropSlots, killAtEach, runToEnd, type Scene, untilCapturing, withScene } from "./scene.ts";

Deno.test("killed at every step of every sink and of the pipeline, a restart leaves every row once", async (test) => {
  await withScene(async (scene) => {
    await runToEnd(scene);
    // Tables of one bucket have a file a batch; sink_faults_test.ts stops between those of two.
    const paimonPoints = paimonFailPoints.filter((point) => point !== "paimon.betweenDataFiles");
    await killAtEach(scene, { points: [...icebergFailPoints, ...paimonPoints, ...batchFailPoints], test });
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

for (const [held, ahead] of [["paimon", "iceberg"], ["iceberg", "paimon"]] as const) {
  Deno.test(`killed between the two formats' commits, ${ahead} first, every row is in both once`, async (test) => {
    await withScene(async (scene) => {
      const { url, lake } = scene;
      await runToEnd(scene);
      for (const hit of [1, 2]) {
        await changeEverything(scene, hit);
        // The other format's commit of the same table goes on beside the one that stands still.
        await new CrashChild({ url, lake, point: `${held}.beforeCommit`, hit, delayMs: 1500 }, scene.folder).killed();
        const behind = await tablesBehind(scene, held);
        assert.ok(behind.length > 0, "both formats stand at the same positions");
        await test.step(`${held} is behind in ${behind.join(" and ")}`, () => runToEnd(scene));
      }
    });
  });
}

/** Tables of which one format has recorded less than the other. */
async function tablesBehind({ url, lake }: Scene, format: string): Promise<readonly string[]> {
  await using run = await openCapture(url, { lake });
  const behind: string[] = [];
  for (const { sinks } of run.plans.flatMap((plan) => plan.tables)) {
    const recorded = await Promise.all(sinks.map(async (sink) => ({ sink, ...await sink.status() })));
    const mine = recorded.find(({ sink }) => sink.table.format === format)?.position;
    const other = recorded.find(({ sink }) => sink.table.format !== format)?.position;
    assert.ok(mine !== undefined && other !== undefined);
    if (parseLsn(mine.offset) < parseLsn(other.offset)) behind.push(sinks[0]?.table.name ?? "");
  }
  return behind;
}

const kills = 6;

Deno.test(`killed at random while rows flow, with busy and idle tables, ${kills} times, each after a table commit`, async (test) => {
  await withScene(async (scene) => {
    const { url, lake } = scene;
    await runToEnd(scene);
    for (let kill = 0; kill < kills; kill++) {
      const before = await countTableCommits(lake);
      const child = new CrashChild({ url, lake, follow: true }, scene.folder);
      await child.until(/streaming/);
      const stop = new AbortController();
      // Every other round the account holders are idle beside busy payments.
      const churnShare = kill % 2 === 0 ? 0.2 : 0;
      const writing = scene.writer.stream({ rate: 1000, churnShare, signal: stop.signal });
      while (await countTableCommits(lake) === before) await new Promise((resolve) => setTimeout(resolve, 10));
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 600));
      child.kill("SIGKILL");
      await child.killed();
      stop.abort();
      await writing;
    }
    await test.step(`after ${kills} kills`, () => runToEnd(scene));
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

Deno.test("a server that is told to stop need not wait for the job, also not just after a change", async () => {
  await withScene(async (scene) => {
    const { url, lake } = scene;
    const child = new CrashChild({ url, lake, follow: true }, scene.folder);
    await child.until(/streaming/);
    await untilCapturing(scene.client);
    await scene.writer.stream({ payments: 10 });
    await scene.writer.close();
    await new Promise((resolve) => setTimeout(resolve, 3000));
    // A walsender ends only once the receiver has confirmed all of the log; this is what a server adds by itself now and then.
    await scene.client.query("SELECT pg_log_standby_snapshot()");
    await new Promise((resolve) => setTimeout(resolve, 500));
    const startMs = performance.now();
    await scene.restartServer();
    const tookMs = performance.now() - startMs;
    assert.ok(tookMs < stopTimeoutMs / 2, `stopping and starting took ${Math.round(tookMs)} ms`);
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
