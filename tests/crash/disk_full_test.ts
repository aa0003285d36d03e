/** A disk that is full, below the lake or below the run-time state: said clearly, and once there is room nothing is missing. */
import { assertComplete, assertRefused, runJob } from "./real_job.ts";
import { type Scene, withScene } from "./scene.ts";
import { mountObstacle, withSmallDisk } from "./small_disk.ts";

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

const obstacle = await mountObstacle();
for (
  const [name, folderOf] of [
    ["the lake", (scene: Scene) => scene.lake],
    ["spool and state", (scene: Scene) => `${scene.folder}/data/state`],
  ] as const
) {
  const promise = `a full disk below ${name} costs nothing`;
  if (obstacle !== undefined) {
    Deno.test({ name: `${promise} (skipped: cannot mount a small disk: ${obstacle})`, ignore: true, fn: () => {} });
  } else Deno.test(promise, () => withScene((scene) => survivesFullDisk(scene, folderOf(scene))));
}
