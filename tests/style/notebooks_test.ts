import assert from "node:assert/strict";
import { committedText } from "../notebooks/committed_form.ts";
import { formatted } from "../notebooks/formatting.ts";
import { type Notebook, type NotebookFile, readNotebook } from "../notebooks/notebook.ts";
import { notebookComplaints } from "./notebook_rules.ts";
import { isOurs, notebookNames, ourPaths, root } from "./source_tree.ts";

async function notebooks(): Promise<readonly NotebookFile[]> {
  return await Promise.all(notebookNames().map((name) => readNotebook(name)));
}

Deno.test("every notebook is small, was run as it stands, and is written as the task writes it", async () => {
  const files = await notebooks();
  assert.ok(files.length > 0);
  assert.deepEqual(files.flatMap(notebookComplaints), []);
});

Deno.test("the code of every notebook is formatted; deno task notebook:outputs does that too", async () => {
  const files = await notebooks();
  const clean = await formatted(files);
  assert.deepEqual(
    files.filter(({ text }, index) => text !== committedText(clean[index]!)).map(({ path }) => path),
    [],
  );
  const [changed] = await formatted([fileOf(withSecondCell({ source: "const one:number=1" }))]);
  assert.equal(changed?.cells[1]?.source, "const one: number = 1;");
});

Deno.test("every notebook that the README tells of has a test of its own, and it tells of each that has one", async () => {
  const readme = await Deno.readTextFile(`${root}/README.md`);
  const told = [...readme.matchAll(/^\| `(\d\w+)` +\|/gm)].map(([, name]) => name);
  assert.deepEqual(told, notebookNames());
});

Deno.test("a notebook of a user's own is not looked at", async () => {
  assert.deepEqual(["06_mine", "mine"].filter((name) => isOurs(`notebooks/${name}.ipynb`)), []);
  const looked = (await ourPaths()).filter((path) => path.endsWith(".ipynb")).sort();
  assert.deepEqual(looked, (await notebooks()).map(({ path }) => path));
});

const good: Notebook = {
  cells: [
    { cell_type: "markdown", id: "title", metadata: {}, source: "# Title" },
    { cell_type: "code", id: "one", metadata: {}, source: "const one: number = 1;", outputs: [], execution_count: 1 },
    { cell_type: "code", id: "two", metadata: {}, source: "one + 1;", outputs: [], execution_count: 2 },
  ],
  metadata: {},
  nbformat: 4,
  nbformat_minor: 5,
};

function fileOf(notebook: Notebook, text: string = committedText(notebook)): NotebookFile {
  return { path: "notebooks/x.ipynb", text, notebook };
}

function withSecondCell(changes: Partial<Notebook["cells"][number]>): Notebook {
  return { ...good, cells: [good.cells[0]!, { ...good.cells[1]!, ...changes }, good.cells[2]!] };
}

Deno.test("every rule on notebooks finds what it looks for", () => {
  assert.deepEqual(notebookComplaints(fileOf(good)), []);
  const noise = { output_type: "stream", name: "stderr", text: "warning" } as const;
  const broken = [
    fileOf(withSecondCell({ source: "x".repeat(300_001) })),
    fileOf(good, committedText(good).replace('"metadata": {}', '"metadata": {"trusted": true}')),
    fileOf(withSecondCell({ execution_count: null })),
    fileOf(withSecondCell({ outputs: [noise] })),
    fileOf(withSecondCell({ id: "8c1f3a" })),
    fileOf(withSecondCell({ id: "two" })),
  ];
  for (const file of broken) assert.equal(notebookComplaints(file).length, 1, file.text.slice(0, 400));
});
