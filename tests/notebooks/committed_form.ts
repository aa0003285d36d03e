/** How a notebook is committed: what a reader sees and no more, the same text from the same run. */
import type { NotebookRun } from "./execution.ts";
import { type Cell, joined, type Notebook, type Output } from "./notebook.ts";

/** A committed notebook is no larger, outputs included. */
export const mostBytes = 300_000;

/** Forms of an output that are kept. Tables as JSON are for tools of a running notebook. */
const keptMediaTypes = ["text/html", "image/svg+xml", "text/markdown", "text/plain"];

/** A notebook with the outputs of a run. */
export function withOutputs({ notebook, cells: runs }: NotebookRun): Notebook {
  const outputs = new Map(runs.map((run) => [run.id, run.outputs]));
  const cells = notebook.cells.map((cell) =>
    cell.cell_type === "code" ? { ...cell, outputs: outputs.get(cell.id) ?? [], execution_count: 1 } : cell
  );
  return { ...notebook, cells };
}

/** The file of a notebook: without versions, times, and what a cell's output is beside its kept forms. */
export function committedText({ cells, nbformat, nbformat_minor }: Notebook): string {
  let executed = 0;
  const clean = cells.map((cell) => committedCell(cell, cell.execution_count == null ? null : ++executed));
  const metadata = {
    kernelspec: { display_name: "Deno", language: "typescript", name: "deno" },
    language_info: { file_extension: ".ts", mimetype: "text/x.typescript", name: "typescript" },
  };
  return `${JSON.stringify({ cells: clean, metadata, nbformat, nbformat_minor }, null, 1)}\n`;
}

function committedCell(cell: Cell, execution_count: number | null): unknown {
  const { cell_type, id, source, outputs = [] } = cell;
  const { tags } = cell.metadata;
  const metadata = tags === undefined ? {} : { tags };
  if (cell_type !== "code") return { cell_type, id, metadata, source: lines(source) };
  const clean = outputs.map((output) => committedOutput(output, execution_count));
  return { cell_type, execution_count, id, metadata, outputs: clean, source: lines(source) };
}

function committedOutput(output: Output, execution_count: number | null): unknown {
  const { output_type } = output;
  if (output_type === "stream") return { name: output.name, output_type, text: lines(output.text) };
  if (output_type === "error") return output;
  const kept = keptMediaTypes.filter((type) => type in output.data);
  const data = Object.fromEntries(kept.map((type) => [type, lines(output.data[type] as string | readonly string[])]));
  const shown = { data, metadata: {}, output_type };
  return output_type === "execute_result" ? { ...shown, execution_count } : shown;
}

/** A line of the file for each: changes of an output read well. */
function lines(text: string | readonly string[]): readonly string[] {
  return joined(text).match(/[^\n]*\n|[^\n]+$/g) ?? [];
}
