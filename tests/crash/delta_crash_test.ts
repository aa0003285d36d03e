/** Delta tables whose writer is killed at any step: every row is there once, also where a checkpoint was on its way. */
import assert from "node:assert/strict";
import { type Action, formatActions, parseActions } from "../../lib/table/delta/actions.ts";
import { checkpointFailPoints, deltaFailPoints } from "../../lib/table/delta/fail_points.ts";
import { CrashChild } from "./crash_child.ts";
import { filesBelow } from "./lake_files.ts";
import { changeEverything, killAtEach, runToEnd, type Scene, withScene } from "./scene.ts";

Deno.test("killed at every step of a Delta commit and checkpoint, a restart leaves every row once", async (test) => {
  await withScene(async (bare) => {
    const scene: Scene = { ...bare, formats: "delta" };
    await runToEnd(scene);
    await checkpointEveryCommit(scene.lake);
    await killAtEach(scene, { points: [...deltaFailPoints, ...checkpointFailPoints], test });
  });
});

Deno.test("killed while one of three formats is behind, every row is in all of them once", async (test) => {
  await withScene(async (bare) => {
    const scene: Scene = { ...bare, formats: "iceberg,paimon,delta" };
    const { url, lake, folder, formats } = scene;
    await runToEnd(scene);
    for (const hit of [1, 2]) {
      await changeEverything(scene, hit);
      const plan = { url, lake, formats: formats!, point: "delta.beforeCommit", hit, delayMs: 1500 };
      await new CrashChild(plan, folder).killed();
      await test.step(`at hit ${hit}`, () => runToEnd(scene));
    }
  });
});

/** Another writer sets a property of every table: the next commit of ours follows it, and a checkpoint follows that. */
async function checkpointEveryCommit(lake: string): Promise<void> {
  const commits = (await filesBelow(`${lake}/delta`)).filter((path) => /_delta_log\/\d{20}\.json$/.test(path)).sort();
  const logs = Map.groupBy(commits, (path) => path.slice(0, path.lastIndexOf("/")));
  assert.equal(logs.size, 3);
  for (const [log, paths] of logs) {
    const actions = (await Promise.all(paths.map((path) => Deno.readTextFile(path)))).flatMap(parseActions);
    const { metaData } = actions.findLast((action: Action) => action.metaData !== undefined)!;
    const configuration = { ...metaData!.configuration, "delta.checkpointInterval": "1" };
    const name = String(paths.length).padStart(20, "0");
    const text = formatActions([{ metaData: { ...metaData!, configuration } }]);
    await Deno.writeTextFile(`${log}/${name}.json`, text, { createNew: true });
  }
}
