/** Cells as a module: a file of `jobs/` as if it had been written by hand. */
import { WeirError } from "../errors.ts";
import type { CodeCell } from "./tagged_cells.ts";

/** A module that still lacks its first comment: that needs the job's summary, which is known once the module runs. */
export interface JobModule {
  readonly text: string;
  /** Which cell a line of the text comes from, both counted from 1; undefined for a line that is in no cell. */
  readonly originOf: (line: number) => { readonly cell: number; readonly line: number } | undefined;
}

const runs = 'import { runJob } from "../lib/cli/run_job.ts";\n';
const isMain = "\nif (import.meta.main) await runJob(job);\n";
/** At the beginning of a line, so that a call inside of a function does not count. */
const declaration = /^(?:export\s+)?const\s+(\w+)(?:\s*:[^=]+)?\s*=\s*declareJob\s*\(/gm;

/** Likewise: the one that is exported, unless it is already. */
const ownDeclaration = /^const(?=\s+job(?:\s*:[^=]+)?\s*=\s*declareJob\s*\()/m;

/** Likewise: what waits for something as soon as a file is read. */
const atOnce = /^(?:(?:export\s+)?(?:const|let|var)\s[^=]*=\s*)?(?:for\s+)?await\b/;

/**
 * Makes it of cells, one after another.
 *
 * Throws `configuration` where they declare no job, several, or one that is not called `job`; and where they do something at once, for
 * a job is read without being run.
 *
 * @param path The notebook, for errors.
 *
 * @example
 * ```ts
 * import { jobModule } from "./job_module.ts";
 * import assert from "node:assert/strict";
 *
 * const cells = [{ number: 4, source: "const job = declareJob({ name: 'count' });" }];
 * const { text, originOf } = jobModule(cells, "notebooks/count.ipynb");
 * assert.match(text, /^export const job = /m);
 * assert.deepEqual(originOf(2), { cell: 4, line: 1 });
 * ```
 */
export function jobModule(cells: readonly CodeCell[], path: string): JobModule {
  requireOneJob(cells, path);
  requireNothingAtOnce(cells, path);
  const sources = cells.map(({ source }) => `${source.trimEnd().replace(ownDeclaration, "export const")}\n`);
  const text = `${runs}${sources.join("\n")}${isMain}`;
  const originOf: JobModule["originOf"] = (line) => {
    let begin = linesOf(runs) + 1;
    for (const [index, source] of sources.entries()) {
      const end = begin + linesOf(source);
      if (line >= begin && line < end) return { cell: cells[index]!.number, line: line - begin + 1 };
      begin = end + 1;
    }
  };
  return { text, originOf };
}

function linesOf(text: string): number {
  return text.split("\n").length - 1;
}

function requireOneJob(cells: readonly CodeCell[], path: string): void {
  const declared = cells.flatMap(({ number, source }) =>
    [...source.matchAll(declaration)].map(([, name = ""]) => ({ number, name }))
  );
  const [only, another] = declared;
  if (only === undefined) {
    throw new WeirError("configuration", `the tagged cells of ${path} declare no job`, {
      advice: "Give one of them the line const job = declareJob({ … });",
    });
  }
  if (another !== undefined) {
    const where = declared.map(({ number }) => number).join(" and ");
    throw new WeirError("configuration", `${path} declares ${declared.length} jobs, in code cells ${where}`, {
      advice: "Keep the tag on the cells of one of them; another job has a notebook of its own",
    });
  }
  if (only.name !== "job") {
    throw new WeirError("configuration", `the job in code cell ${only.number} of ${path} is called ${only.name}`, {
      advice: "Write const job = declareJob({ … });",
    });
  }
}

function requireNothingAtOnce(cells: readonly CodeCell[], path: string): void {
  for (const { number, source } of cells) {
    const line = source.split("\n").findIndex((text) => atOnce.test(text)) + 1;
    if (line === 0) continue;
    throw new WeirError("configuration", `code cell ${number} of ${path} does something at once, in line ${line}`, {
      advice: "Move it into the job's main, or take the tag off the cell: a job is read for its help without being run",
    });
  }
}

const origin = /^ \* Promoted from (.+)\.$/m;

/** The module with its first comment, which says what the job does and where it comes from. */
export function withOrigin(
  text: string,
  { summary, path }: { readonly summary: string; readonly path: string },
): string {
  const sentence = summary.replaceAll("*/", "* /").replace(/\.?$/, ".");
  return `/**\n * ${sentence}\n *\n * Promoted from ${path}.\n */\n${text}`;
}

/** The notebook that a file of `jobs/` comes from; undefined for one that was written by hand. */
export function originOf(text: string): string | undefined {
  return origin.exec(text)?.[1];
}
