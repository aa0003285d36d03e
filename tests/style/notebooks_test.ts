import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { committedText } from "../notebooks/committed_form.ts";
import { formatted } from "../notebooks/formatting.ts";
import { type Notebook, type NotebookFile, notebookNames, readNotebook } from "../notebooks/notebook.ts";
import { cellModule, notebookComplaints } from "./notebook_rules.ts";
import { root } from "./source_tree.ts";

async function notebooks(): Promise<readonly NotebookFile[]> {
  return await Promise.all((await notebookNames()).map((name) => readNotebook(name)));
}

/** Of the modules made of cells. The same for one checkout, so that the type checker knows what it has checked before. */
const cellsFolder = join(tmpdir(), `weir-cells-${createHash("sha256").update(root).digest("hex").slice(0, 12)}`);

/** What the type checker says of notebooks, by notebook and cell; none if there is no error. */
async function typeErrors(files: readonly NotebookFile[]): Promise<string> {
  await Deno.mkdir(cellsFolder, { recursive: true });
  const modules = new Map(
    files.map((file) => [`${cellsFolder}/${basename(file.path)}.ts`, { file, ...cellModule(file) }]),
  );
  for (const [path, { source }] of modules) await Deno.writeTextFile(path, source);
  const args = ["check", "--config", `${root}/deno.json`, ...modules.keys()];
  const { success, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd: root }).output();
  if (success) return "";
  const said = stripVTControlCharacters(new TextDecoder().decode(stderr));
  return said.replaceAll(/(file:\S+\.ipynb\.ts):(\d+):\d+/g, (place, url, line) => {
    const module = modules.get(fileURLToPath(url));
    return module === undefined ? place : `${module.file.path}, ${module.cellAt(Number(line))}`;
  });
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

Deno.test("every notebook has a test of its own", async () => {
  const tests = [...Deno.readDirSync(`${root}/tests/notebooks`)].map(({ name }) => name);
  const expected = (await notebookNames()).map((name) => `${name}_test.ts`);
  assert.deepEqual(tests.filter((name) => /^\d.*_test\.ts$/.test(name)).sort(), expected);
});

Deno.test("the cells of every notebook have no type error", async () => {
  assert.equal(await typeErrors(await notebooks()), "");
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
  const wrong = fileOf(withSecondCell({ source: '\nconst one: number = "1";' }));
  const said = await typeErrors([fileOf(good), { ...wrong, path: "notebooks/wrong.ipynb" }]);
  assert.match(said, /TS2322/);
  assert.match(said, /notebooks\/wrong\.ipynb, cell 2 "one" \(const one: number = "1";\)/);
});
