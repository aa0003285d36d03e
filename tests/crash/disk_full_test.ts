/** A disk that is full, below the lake or below the run-time state: said clearly, and once there is room nothing is missing. */
import assert from "node:assert/strict";
import { indexTable } from "../../lib/query/similar/index_table.ts";
import { VectorIndex } from "../../lib/query/similar/vector_index.ts";
import { withDatabase } from "../../lib/testing/temporary.ts";
import { withTemporaryFolder } from "../../lib/testing/temporary_folder.ts";
import { manyNotes, VectorLake } from "../../lib/testing/vector_lake.ts";
import { assertComplete, assertRefused, runJob } from "./real_job.ts";
import { type Scene, withScene } from "./scene.ts";
import { mountObstacle, type SmallDisk, withSmallDisk } from "./small_disk.ts";

const full = { kind: "storageFull", says: /No space left.*Free disk space and start again/s } as const;

/** The main job ends with a clear error while the disk is too full for its copy and its changes, and goes on when there is room. */
async function survivesFullDisk(scene: Scene, folder: string): Promise<void> {
  const plan = { ...scene, job: "pipeline", flags: ["--lake", scene.lake] } as const;
  await withSmallDisk(folder, async (disk) => {
    const refuses = async (bytes: number) => {
      await disk.leave(bytes);
      assertRefused(await runJob(plan), full);
      await disk.free();
    };
    for (const bytes of [0, 100_000]) await refuses(bytes);
    assertComplete(await runJob(plan), 6);
    for (const bytes of [0, 200_000]) {
      await scene.writer.stream({ payments: 600, churnShare: 0.3 });
      await refuses(bytes);
    }
    assertComplete(await runJob(plan), 6);
  });
}

/** Half an index is not left on a disk that has no room for it, and is no defect. */
async function indexOnFullDisk(disk: SmallDisk, folder: string): Promise<void> {
  await withDatabase(async (fixture) => {
    const table = new VectorLake(fixture, { format: "iceberg" });
    await table.write(manyNotes(0, 3000));
    using index = new VectorIndex(`${folder}/index`);
    const refresh = () => indexTable(table.lake, { table: table.place, index, threads: 2 });
    await disk.leave(300_000);
    await assert.rejects(refresh, { kind: "storageFull", advice: /Free disk space/ });
    const left = (await Array.fromAsync(Deno.readDir(`${folder}/index`))).map(({ name }) => name);
    assert.deepEqual(left, ["refresh.lock"]);
    await disk.free();
    assert.equal((await refresh()).added, 3000);
  });
}

const promises: Readonly<Record<string, () => Promise<void>>> = {
  "a full disk below the lake costs nothing": () => withScene((scene) => survivesFullDisk(scene, scene.lake)),
  "a full disk below spool and state costs nothing": () =>
    withScene((scene) => survivesFullDisk(scene, `${scene.folder}/data/state`)),
  "a disk that is too full for a vector index keeps no half of it, and the index is built once there is room": () =>
    withTemporaryFolder((folder) => withSmallDisk(`${folder}/disk`, (disk) => indexOnFullDisk(disk, `${folder}/disk`))),
};
const obstacle = await mountObstacle();
for (const [promise, fn] of Object.entries(promises)) {
  const name = obstacle === undefined ? promise : `${promise} (skipped: cannot mount a small disk: ${obstacle})`;
  Deno.test({ name, ignore: obstacle !== undefined, fn });
}
