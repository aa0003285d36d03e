/** What `deno task compile` packs is all that a job needs, where neither Deno's cache nor the project is. */
import assert from "node:assert/strict";
import { packProgram } from "../../jobs/wiring/binary/compiled.ts";
import { type JobProgram, jobPrograms } from "../../jobs/wiring/binary/job_program.ts";
import { layOutProgram } from "../../jobs/wiring/binary/laid_out.ts";
import { withTemporaryFolder } from "../../lib/testing/temporary_folder.ts";
import { writeTinyModel } from "../../lib/testing/tiny_model.ts";
import { missingBase } from "./compile_base.ts";
import { binaryStart, laidOutStart, type Start } from "./program_run.ts";
import { search, smallRuns, transformer } from "./small_runs.ts";

const programs = jobPrograms();
const missing = await missingBase();

/** Of a folder that everybody may enter: the embedded server runs as another user. */
interface Places {
  readonly folder: string;
  readonly home: string;
  readonly cache: string;
}

function withPlaces(body: (places: Places) => Promise<void>): Promise<void> {
  return withTemporaryFolder(async (root) => {
    await Deno.chmod(root, 0o755);
    const places = { folder: `${root}/program`, home: `${root}/home`, cache: `${root}/cache` };
    await writeTinyModel(`${places.home}/${transformer}`);
    await body(places);
  });
}

async function assertRuns({ name }: JobProgram, start: Start): Promise<void> {
  const { code, output, log } = await start("--help");
  assert.equal(code, 0, log);
  assert.match(output, /^Usage: [\s\S]+--json/m, name);
  await smallRuns[name]?.(start);
}

Deno.test("every job runs from the files of its binary alone, and small runs of six of them do their work", (test) =>
  withPlaces(async (places) => {
    assert.ok(
      programs.length >= 11 && Object.keys(smallRuns).every((job) => programs.some(({ name }) => name === job)),
    );
    for (const program of programs) {
      await test.step(program.name, async () => {
        await layOutProgram(program.script, places.folder);
        await assertRuns(program, laidOutStart(program, places));
        if (program.name === "similar") await assertNothingToSpare(laidOutStart(program, places), places);
      });
    }
  }));

/** Without a worker, a file, a package or an add-on that no import names, a run fails: this test would see one left out. */
async function assertNothingToSpare(start: Start, { folder }: Places): Promise<void> {
  const parts = [
    "lib/embed/embed_worker.ts",
    "lib/embed/static/sum_rows.wasm",
    "data/models/weir",
    "node_modules/usearch",
  ];
  for (const part of parts) {
    await Deno.rename(`${folder}/${part}`, `${folder}/aside`);
    const { code, output } = await start(...search);
    assert.deepEqual([code, JSON.parse(output).ok], [1, false], `${part} is not needed`);
    await Deno.rename(`${folder}/aside`, `${folder}/${part}`);
  }
  assert.equal((await start(...search)).code, 0);
}

const skipped = missing === undefined ? "" : ` (skipped: ${missing})`;

Deno.test({
  name: `every job runs as a binary, and small runs of six of them do their work${skipped}`,
  ignore: missing !== undefined,
  fn: (test) =>
    withPlaces(async (places) => {
      for (const program of programs) {
        const path = `${places.home}/${program.script.replace(/\W/g, "_")}`;
        const more = { hosts: [], folders: [] };
        await layOutProgram(program.script, places.folder);
        await packProgram(program, { folder: places.folder, path, more });
        await test.step(program.name, () => assertRuns(program, binaryStart(path, places)));
        await Deno.remove(path);
      }
    }),
});
