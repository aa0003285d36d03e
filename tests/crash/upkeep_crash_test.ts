/**
 * Killed at every step of upkeep while rows flow: every row is there once, no live file has gone, and what the kills left behind
 * is found by the next cleaning.
 */
import assert from "node:assert/strict";
import { keptTable } from "../../jobs/wiring/kept_tables.ts";
import { Database } from "../../lib/engine/database.ts";
import { tableFolders } from "../../lib/query/lake_folders.ts";
import { TableUpkeep } from "../../lib/sink/table_upkeep.ts";
import { UpkeepWorker } from "../../lib/sink/upkeep_worker.ts";
import { LocalStorage } from "../../lib/storage/local.ts";
import { deltaUpkeepFailPoints } from "../../lib/table/delta/fail_points.ts";
import { icebergUpkeepFailPoints } from "../../lib/table/iceberg/fail_points.ts";
import { paimonUpkeepFailPoints } from "../../lib/table/paimon/fail_points.ts";
import type { UpkeepTable } from "../../lib/table/upkeep.ts";
import { CrashChild } from "./crash_child.ts";
import { runToEnd, type Scene, withScene } from "./scene.ts";

const formats = "iceberg,paimon,delta";
/** Merges and expires after every commit, whatever else goes on. */
const flags = { "merge-files": "2", "deleted-share": "0.1", "keep-hours": "0", "keep-snapshots": "2" };

/** Kills between two comparisons with the source: what a kill loses stays lost. */
const comparedEvery = 7;

const points = [
  ...icebergUpkeepFailPoints,
  ...paimonUpkeepFailPoints,
  ...deltaUpkeepFailPoints,
  "upkeep.afterMerge",
  "upkeep.afterExpiry",
];

Deno.test("killed at every step of upkeep while rows flow, a restart leaves every row once and no file too many", async (test) => {
  await withScene(async (bare) => {
    const scene: Scene = { ...bare, formats };
    const { url, lake, folder, writer } = scene;
    await runToEnd(scene);
    for (const [round, point] of points.entries()) {
      const child = new CrashChild({ url, lake, formats, flags, point, follow: true }, folder);
      await child.until(/streaming/);
      const stop = new AbortController();
      const writing = writer.stream({ rate: 200, churnShare: 0.5, signal: stop.signal });
      const hits = await child.killed().finally(() => stop.abort());
      await writing;
      const isCompared = round % comparedEvery === comparedEvery - 1;
      await test.step(`${point}: killed at hit ${hits.get(point)}`, () => isCompared ? runToEnd(scene) : undefined);
    }
    await test.step("what was left behind is found and removed", () => assertCleaned(lake));
    await runToEnd(scene);
  });
});

/** Removes the orphans of every table: what is left is what its kept snapshots refer to. */
async function assertCleaned(lake: string): Promise<void> {
  const storage = new LocalStorage(lake);
  const policy = {
    targetFileBytes: 1,
    mergeFiles: 2,
    deletedShare: 1,
    keepSnapshotsMs: 0,
    keepSnapshots: 2,
    orphanAgeMs: 0,
  };
  let removed = 0;
  const database = await Database.open({ folders: [lake], temporaryFolder: `${lake}/engine` });
  const connection = await database.connect();
  try {
    const worker = new UpkeepWorker(connection);
    for (const place of await tableFolders({ storage })) {
      const table: UpkeepTable = keptTable(place, { storage, connection });
      const orphans = await new TableUpkeep({ table, storage, policy, worker }).orphans();
      for (const { path } of orphans) await storage.delete(path);
      removed += orphans.length;
      const found = await Array.fromAsync(storage.list(storage.path(table.location)));
      const referenced = await table.referenced((await table.load())!);
      assert.deepEqual(found.map(({ path }) => path).sort(), [...referenced].sort(), `${place.format} ${place.name}`);
    }
  } finally {
    connection.close();
    database.close();
  }
  assert.ok(removed > 0, "kills leave files behind");
}
