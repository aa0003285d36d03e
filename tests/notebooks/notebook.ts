/** Notebooks as their files hold them: Jupyter's format, as far as it is used here. */
import { root } from "../style/source_tree.ts";

/** What a cell puts out, in one of the forms that Jupyter has. */
export type Output =
  | { readonly output_type: "stream"; readonly name: "stdout" | "stderr"; readonly text: string | readonly string[] }
  | Shown
  | {
    readonly output_type: "error";
    readonly ename: string;
    readonly evalue: string;
    readonly traceback: readonly string[];
  };

/** Something displayed, in several forms by their media type. */
export interface Shown {
  readonly output_type: "display_data" | "execute_result";
  readonly data: Readonly<Record<string, unknown>>;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly execution_count?: number | null;
}

/** A cell. */
export interface Cell {
  readonly id: string;
  readonly cell_type: "markdown" | "code";
  readonly source: string | readonly string[];
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly outputs?: readonly Output[];
  readonly execution_count?: number | null;
}

/** A notebook. */
export interface Notebook {
  readonly cells: readonly Cell[];
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly nbformat: number;
  readonly nbformat_minor: number;
}

/** A notebook and its file. */
export interface NotebookFile {
  /** From the root, such as `notebooks/01_generated_data.ipynb`. */
  readonly path: string;
  readonly text: string;
  readonly notebook: Notebook;
}

/** Reads one of this project, or of a copy in another folder. */
export async function readNotebook(name: string, projectFolder: string = root): Promise<NotebookFile> {
  const path = `notebooks/${name}.ipynb`;
  const text = await Deno.readTextFile(`${projectFolder}/${path}`);
  return { path, text, notebook: JSON.parse(text) as Notebook };
}

/** A text that the format may hold as one or as its lines. */
export function joined(text: string | readonly string[]): string {
  return typeof text === "string" ? text : text.join("");
}

/** The code cells. */
export function codeCells({ cells }: Notebook): readonly Cell[] {
  return cells.filter(({ cell_type }) => cell_type === "code");
}

/** Where a cell stands and how it begins, for messages. */
export function cellName(notebook: Notebook, id: string): string {
  const index = notebook.cells.findIndex((cell) => cell.id === id);
  const [line = ""] = joined(notebook.cells[index]?.source ?? "").trim().split("\n");
  return `cell ${index + 1} "${id}" (${line})`;
}
