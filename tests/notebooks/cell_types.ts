/** The cells of notebooks before the type checker: extracted into modules, and what is said of these told of the cells. */
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { root } from "../style/source_tree.ts";
import { cellName, codeCells, joined, type NotebookFile } from "./notebook.ts";

/** A notebook's code cells, one after another, as one module. */
interface CellModule {
  readonly source: string;
  /** The cell that a line of the module belongs to, for messages; the first line is 1. */
  readonly cellAt: (line: number) => string;
}

/** The module; it may lie anywhere. */
function cellModule({ notebook }: NotebookFile): CellModule {
  const rootUrl = `${pathToFileURL(root)}/`;
  const names: string[] = [];
  const sources = codeCells(notebook).map(({ id, source }) => {
    const text = joined(source).replaceAll(/\b(from|import|import\() ?"\.\.\//g, `$1 "${rootUrl}`);
    names.push(...text.split("\n").map(() => cellName(notebook, id)));
    return `${text}\n`;
  });
  // Without any import or export it would be a script, where nothing may be awaited.
  return { source: `${sources.join("")}export {};\n`, cellAt: (line) => names[line - 1] ?? "its end" };
}

/** Of the modules made of cells. The same for one checkout, so that the type checker knows what it has checked before. */
const cellsFolder = join(tmpdir(), `weir-cells-${createHash("sha256").update(root).digest("hex").slice(0, 12)}`);

/** What the type checker says of notebooks, by notebook and cell; none if there is no error. */
export async function typeErrors(files: readonly NotebookFile[]): Promise<string> {
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
