/** The code of notebooks as `deno fmt` has it. */
import { basename } from "node:path";
import { root } from "../style/source_tree.ts";
import { committedText } from "./committed_form.ts";
import { joined, type Notebook, type NotebookFile } from "./notebook.ts";

/**
 * Notebooks with formatted code.
 *
 * `deno fmt --check` itself refuses every cell without an empty line at its end, and `deno fmt` takes that line away again.
 */
export async function formatted(files: readonly NotebookFile[]): Promise<readonly Notebook[]> {
  const folder = await Deno.makeTempDir({ prefix: "weir-" });
  try {
    const copies = files.map(({ path, notebook }) => ({ copy: `${folder}/${basename(path)}`, notebook }));
    for (const { copy, notebook } of copies) await Deno.writeTextFile(copy, committedText(ended(notebook, "\n")));
    const args = ["fmt", "-q", "--config", `${root}/deno.json`, folder];
    const { success, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd: folder }).output();
    if (!success) throw new Error(`Cannot format notebooks: ${new TextDecoder().decode(stderr)}`);
    const read = async (copy: string) => ended(JSON.parse(await Deno.readTextFile(copy)) as Notebook, "");
    return await Promise.all(copies.map(({ copy }) => read(copy)));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function ended(notebook: Notebook, end: string): Notebook {
  return {
    ...notebook,
    cells: notebook.cells.map((cell) => ({ ...cell, source: joined(cell.source).trimEnd() + end })),
  };
}
