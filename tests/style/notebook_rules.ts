/** What a committed notebook may look like, and its cells as a module that the type checker takes. */
import { pathToFileURL } from "node:url";
import { committedText, mostBytes } from "../notebooks/committed_form.ts";
import { cellName, codeCells, joined, type NotebookFile } from "../notebooks/notebook.ts";
import { root } from "./source_tree.ts";

/** A rule on a notebook: what is wrong with it. */
type NotebookRule = (file: NotebookFile) => readonly string[];

const rules: readonly NotebookRule[] = [
  ({ text }) => {
    const bytes = new TextEncoder().encode(text).length;
    return bytes > mostBytes ? [`${bytes} bytes; ${mostBytes} are allowed: show less`] : [];
  },
  ({ text, notebook }) => text === committedText(notebook) ? [] : ["is not as deno task notebook:outputs writes it"],
  ({ notebook }) => {
    const waiting = codeCells(notebook).find(({ execution_count }) => execution_count == null);
    return waiting === undefined ? [] : [`${cellName(notebook, waiting.id)} was not run: deno task notebook:outputs`];
  },
  ({ notebook }) => {
    const failed = codeCells(notebook).filter(({ outputs = [] }) =>
      outputs.some((output) => output.output_type === "error" || "name" in output && output.name === "stderr")
    );
    return failed.map(({ id }) => `${cellName(notebook, id)} shows an error`);
  },
  ({ notebook: { cells } }) => {
    const ids = cells.map(({ id }) => id);
    const wrong = ids.filter((id, index) => !/^[a-z][a-z0-9-]*$/.test(id ?? "") || ids.indexOf(id) !== index);
    return wrong.map((id) => `a cell's id is "${id}": give it a word of its own, by which tests find it`);
  },
];

/** Everything that is wrong with a notebook. */
export function notebookComplaints(file: NotebookFile): string[] {
  return rules.flatMap((rule) => rule(file)).map((complaint) => `${file.path}: ${complaint}`);
}

/** A notebook's code cells, one after another, as one module. */
export interface CellModule {
  readonly source: string;
  /** The cell that a line of the module belongs to, for messages; the first line is 1. */
  readonly cellAt: (line: number) => string;
}

/** The module; it may lie anywhere. */
export function cellModule({ notebook }: NotebookFile): CellModule {
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
