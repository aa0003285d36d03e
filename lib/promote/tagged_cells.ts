/** The code cells of a notebook that are a job: those that carry the tag `job`. */
import { WeirError } from "../errors.ts";

/** The tag. */
export const jobTag = "job";

/** A code cell. */
export interface CodeCell {
  /** Among the notebook's code cells, from 1: what stands beside a cell that was run from top to bottom. */
  readonly number: number;
  readonly source: string;
}

interface NotebookCell {
  readonly cell_type: string;
  readonly source: string | readonly string[];
  readonly metadata?: { readonly tags?: readonly string[] };
}

/**
 * Reads a notebook's text. Throws `configuration` where it is no notebook, or none of its code cells has the tag.
 *
 * @param path names it in errors.
 */
export function taggedCells(text: string, path: string): readonly CodeCell[] {
  const code = notebookCells(text, path).filter(({ cell_type: type }) => type === "code");
  const cells = code.flatMap(({ source, metadata }, index): readonly CodeCell[] => {
    if (!metadata?.tags?.includes(jobTag)) return [];
    return [{ number: index + 1, source: typeof source === "string" ? source : source.join("") }];
  });
  if (cells.length > 0) return cells;
  throw new WeirError("configuration", `no code cell of ${path} has the tag ${jobTag}`, {
    advice: `Tag the cells that make the job: imports, functions, and the one with declareJob (JupyterLab: ` +
      `the gear at the right, Add Tag, ${jobTag})`,
  });
}

function notebookCells(text: string, path: string): readonly NotebookCell[] {
  try {
    const { cells } = JSON.parse(text) as { readonly cells?: readonly NotebookCell[] };
    if (Array.isArray(cells)) return cells;
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown;
  }
  throw new WeirError("configuration", `${path} is no notebook`, { advice: "Give a file that Jupyter wrote (.ipynb)" });
}
