/** What runs the notebooks, over notebooks made for it. */
import assert from "node:assert/strict";
import { type StagedProject, stageProject } from "../staged_project.ts";
import { committedText } from "./committed_form.ts";
import { kernelClient, type NotebookRun, runNotebook } from "./execution.ts";
import { root } from "../style/source_tree.ts";

const found = await kernelClient();
const project: StagedProject | undefined = "missing" in found ? undefined : await stageProject();
Deno.test.afterAll(async () => await project?.[Symbol.asyncDispose]());

/** Runs cells, by their ids. */
async function run(
  name: string,
  cells: Readonly<Record<string, string>>,
  limits: { readonly cellLimitSeconds?: number } = {},
): Promise<NotebookRun> {
  assert.ok(project !== undefined && "python" in found);
  const code = Object.entries(cells).map(([id, source]) => ({ id, source, cell_type: "code" as const, metadata: {} }));
  const text = committedText({ cells: code, metadata: {}, nbformat: 4, nbformat_minor: 5 });
  await Deno.writeTextFile(`${project.folder}/notebooks/${name}.ipynb`, text);
  return await runNotebook({ name, python: found.python, project, ...limits });
}

function kernelTest(name: string, body: () => Promise<void>): void {
  const missing = "missing" in found ? ` (skipped: ${found.missing})` : "";
  Deno.test({ name: `${name}${missing}`, ignore: missing !== "", fn: body });
}

kernelTest(
  "what a cell ends with is there, however late the kernel tells it, and an updated display as it was last",
  async () => {
    const { cells, kernelSaid } = await run("good", {
      late: `await new Promise((done) => setTimeout(done, 50)); 6 * 7`,
      many: `console.log("one"); console.log("two");`,
      updated: `
      const show = (text: string, type: string) =>
        Deno.jupyter.broadcast(type, { data: { "text/plain": text }, metadata: {}, transient: { display_id: "x" } });
      await show("first", "display_data");
      await show("last", "update_display_data");`,
      place: `Deno.cwd()`,
    });
    assert.equal(kernelSaid, "");
    const outputs = Object.fromEntries(cells.map(({ id, outputs }) => [id, outputs]));
    assert.match(JSON.stringify(outputs.late), /"text\/plain":"[^"]*42/);
    assert.deepEqual(outputs.many, [{ output_type: "stream", name: "stdout", text: "one\ntwo\n" }]);
    assert.match(JSON.stringify(outputs.updated), /"text\/plain":"last"/);
    assert.doesNotMatch(JSON.stringify(outputs), /"first"/);
    assert.match(JSON.stringify(outputs.place), /"[^/]*notebooks/, "where the copy lies is left out");
  },
);

kernelTest("a cell that fails is told with its notebook, its place, its first line, and what to do", async () => {
  const failing = run("failing", {
    fine: "1 + 1",
    fails: `import { openLake } from "../lib/mod.ts";\nawait openLake({ lake: "nowhere" });`,
    after: "2",
  });
  await assert.rejects(failing, (thrown: Error) => {
    assert.match(thrown.message, /^notebooks\/failing\.ipynb, cell 2 "fails" \(import \{ openLake \} from/);
    assert.match(thrown.message, /WeirError: There is no lake in [^/]*notebooks\/nowhere\n/);
    assert.match(thrown.message, /\n {2}what to do: \w+/);
    return true;
  });
});

kernelTest("a cell that does not end, and a kernel that does, fail the notebook", async () => {
  await assert.rejects(
    run("endless", { loops: "while (true);" }, { cellLimitSeconds: 2 }),
    /cell 1 "loops" .*not done after 2 s/,
  );
  await assert.rejects(run("ended", { leaves: "Deno.exit(3)" }), /cell 1 "leaves" .*the kernel ended/);
});

kernelTest("a copy of the project has neither the lake nor the state of the checkout", async () => {
  assert.ok(project !== undefined);
  const there = async (path: string) => await Deno.stat(`${project.folder}/${path}`).then(() => true, () => false);
  assert.ok(await there("lib/mod.ts") && await there("node_modules") && await there("deno.lock"));
  for (const path of ["data/lake", "data/state/postgres", ".env", ".git"]) assert.ok(!await there(path), path);
  assert.ok(project.folder.startsWith(`${root}/data/state/`));
});
