import assert from "node:assert/strict";
import { stripVTControlCharacters } from "node:util";
import { committedText } from "../notebooks/committed_form.ts";
import { type Notebook, type NotebookFile, notebookNames, readNotebook } from "../notebooks/notebook.ts";
import { cellModule, notebookComplaints } from "./notebook_rules.ts";
import { root } from "./source_tree.ts";

async function notebooks(): Promise<readonly NotebookFile[]> {
  return await Promise.all((await notebookNames()).map(readNotebook));
}

/** What the type checker says of notebooks, by notebook and cell. */
async function typeErrors(files: readonly NotebookFile[]): Promise<readonly string[]> {
  const folder = `${root}/data/state/cells-${crypto.randomUUID()}`;
  await Deno.mkdir(folder, { recursive: true });
  try {
    const modules = files.map((file) => ({ path: file.path, module: cellModule(file) }));
    const names = modules.map((_, index) => `${folder}/${index}.ts`);
    await Promise.all(modules.map(({ module }, index) => Deno.writeTextFile(names[index]!, module.source)));
    const args = ["check", "--config", `${root}/deno.json`, ...names];
    const { success, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd: root }).output();
    if (success) return [];
    const said = stripVTControlCharacters(new TextDecoder().decode(stderr));
    return [said.replaceAll(/file:\S+\/(\d+)\.ts:(\d+):\d+/g, (_, index, line) => {
      const { path, module } = modules[Number(index)]!;
      return `${path}, ${module.cellAt(Number(line))}`;
    })];
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("every notebook is small, was run as it stands, and is written as the task writes it", async () => {
  const files = await notebooks();
  assert.ok(files.length > 0);
  assert.deepEqual(files.flatMap(notebookComplaints), []);
});

Deno.test("every notebook has a test of its own", async () => {
  const tests = [...Deno.readDirSync(`${root}/tests/notebooks`)].map(({ name }) => name);
  const expected = (await notebookNames()).map((name) => `${name}_test.ts`);
  assert.deepEqual(tests.filter((name) => /^\d.*_test\.ts$/.test(name)).sort(), expected);
});

Deno.test("the cells of every notebook have no type error", async () => {
  assert.deepEqual(await typeErrors(await notebooks()), []);
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

Deno.test("a type error is told with its notebook and its cell", async () => {
  const [said = ""] = await typeErrors([
    fileOf(good),
    fileOf(withSecondCell({ source: '\nconst one: number = "1";' })),
  ]);
  assert.match(said, /TS2322/);
  assert.match(said, /notebooks\/x\.ipynb, cell 2 "one" \(const one: number = "1";\)/);
});
