/** Runs notebooks, all or those named, and writes what their cells show into their files. */
import { notebookNames, root } from "../style/source_tree.ts";
import { stageProject } from "../staged_project.ts";
import { committedText, withOutputs } from "./committed_form.ts";
import { kernelClient, runNotebook } from "./execution.ts";
import { formatted } from "./formatting.ts";

const found = await kernelClient();
if ("missing" in found) {
  console.error(`No notebook can be run: ${found.missing}`);
  Deno.exit(1);
}
const names = Deno.args.length > 0 ? Deno.args : notebookNames();
for (const name of names) {
  // Each begins without a lake, as it does in its test.
  await using project = await stageProject();
  const run = await runNotebook({ name, python: found.python, project });
  const path = `notebooks/${name}.ipynb`;
  const [notebook] = await formatted([{ path, text: "", notebook: withOutputs(run) }]);
  await Deno.writeTextFile(`${root}/${path}`, committedText(notebook!));
  const seconds = run.cells.reduce((sum, cell) => sum + cell.seconds, 0);
  console.log(`${name}: ${run.cells.length} cells in ${seconds.toFixed(1)} s`);
}
