/** What a committed notebook may look like. */
import { committedText, mostBytes } from "../notebooks/committed_form.ts";
import { cellName, codeCells, type NotebookFile } from "../notebooks/notebook.ts";

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
