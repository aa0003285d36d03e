/** The test of one notebook: it is run, what must hold of every notebook is held against it, then what it alone should show. */
import assert from "node:assert/strict";
import { type StagedProject, stageProject } from "../staged_project.ts";
import { kernelClient, type NotebookRun, runNotebook } from "./execution.ts";
import { cellName, type Output, type Shown } from "./notebook.ts";

/** What its cells showed, by their ids. */
export class ShownCells {
  readonly #run: NotebookRun;

  constructor(run: NotebookRun) {
    this.#run = run;
  }

  /** What a cell displayed and ended with, in order. */
  all(id: string): readonly Shown[] {
    const cell = this.#run.cells.find((each) => each.id === id);
    assert.ok(cell, `there is no code cell "${id}"`);
    return cell.outputs.filter(isShown);
  }

  /** What a cell showed last, in one form. */
  last(id: string, mediaType: string): unknown {
    const data = this.all(id).at(-1)?.data ?? {};
    assert.ok(mediaType in data, `${cellName(this.#run.notebook, id)} shows ${Object.keys(data)}, not ${mediaType}`);
    return data[mediaType];
  }

  /** What a cell showed last, as a terminal would. */
  text(id: string): string {
    return String(this.last(id, "text/plain"));
  }

  /** The rows of the table that a cell showed last: the first 200 of them. */
  rows<Row = Readonly<Record<string, unknown>>>(id: string): readonly Row[] {
    const { data } = this.last(id, "application/vnd.dataresource+json") as { readonly data: readonly Row[] };
    return data;
  }

  /** The marks of the chart that a cell showed last: how many SVG elements of a name there are in it, such as `rect`. */
  marks(id: string, element: string): number {
    const { data = {} } = this.all(id).at(-1) ?? {};
    const markup = String(data["image/svg+xml"] ?? data["text/html"] ?? "");
    assert.match(markup, /<svg/, `${cellName(this.#run.notebook, id)} shows no chart`);
    const withoutLegend = markup.replaceAll(/<span class="[\w-]*swatch">.*?<\/span>/gs, "");
    return withoutLegend.split(new RegExp(`<${element}[ >/]`)).length - 1;
  }
}

function isShown(output: Output): output is Shown {
  return output.output_type === "display_data" || output.output_type === "execute_result";
}

/**
 * Declares the test of a notebook, by its name without `.ipynb`. It runs over a copy of the project that has no lake yet. Without a Python
 * that speaks with kernels the test is reported as skipped, with the reason in its name.
 */
export async function notebookTest(
  name: string,
  body: (shown: ShownCells, project: StagedProject) => void | Promise<void>,
): Promise<void> {
  const title = `notebooks/${name}.ipynb runs without an error, and its cells show what they should`;
  const found = await kernelClient();
  if ("missing" in found) {
    Deno.test({ name: `${title} (skipped: ${found.missing})`, ignore: true, fn: () => {} });
    return;
  }
  Deno.test(title, async () => {
    await using project = await stageProject();
    const run = await runNotebook({ name, python: found.python, project });
    refuseNoise(run);
    compareWithCommitted(run);
    await body(new ShownCells(run), project);
  });
}

function refuseNoise({ notebook, cells, kernelSaid }: NotebookRun): void {
  for (const { id, outputs } of cells) {
    const noise = outputs.filter((output) => output.output_type === "stream" && output.name === "stderr");
    assert.deepEqual(noise, [], `${cellName(notebook, id)} writes to standard error`);
  }
  assert.equal(kernelSaid, "", "the kernel prints something outside of all cells");
}

/** Every form that a reader of the committed file sees is one that the cell really gives. */
function compareWithCommitted({ notebook, cells }: NotebookRun): void {
  for (const { id, outputs } of cells) {
    const committed = notebook.cells.find((cell) => cell.id === id)?.outputs ?? [];
    const what = `${cellName(notebook, id)}: deno task notebook:outputs writes what it shows now`;
    assert.equal(committed.length > 0, outputs.length > 0, what);
    const [then, now] = [committed, outputs].map((each) => new Set(each.flatMap(forms)));
    assert.deepEqual([...then!].filter((form) => !now!.has(form)), [], what);
  }
}

function forms(output: Output): readonly string[] {
  return isShown(output) ? Object.keys(output.data) : [output.output_type];
}
