/** What `deno check` says of a module made of cells, told of the cells. */
import type { JobModule } from "./job_module.ts";

/** An error with the line that it is about; other lines it speaks of follow the code that is shown, further in. */
const error = /^TS\d+ \[ERROR\]: (.*)\n(?:.*\n)*? {4}at file:\/\/\S*:(\d+):\d+$/gm;
const mostErrors = 5;

/**
 * One line an error, the first few of them. Of a report in another form its own last words.
 *
 * @example
 * ```ts
 * import { cellErrors } from "./check_report.ts";
 * import { jobModule } from "./job_module.ts";
 * import assert from "node:assert/strict";
 *
 * const cells = [{ number: 3, source: "const job = declareJob();" }];
 * const report = "TS2304 [ERROR]: Cannot find name 'declareJob'.\nexport const job\n    at file:///jobs/x.ts:2:20\n";
 * assert.deepEqual(cellErrors(report, jobModule(cells, "a.ipynb")), [
 *   "code cell 3, line 1: Cannot find name 'declareJob'.",
 * ]);
 * ```
 */
export function cellErrors(report: string, { originOf }: JobModule): readonly string[] {
  const errors = [...report.matchAll(error)].map(([, message = "", line]) => {
    const from = originOf(Number(line));
    return from === undefined ? message : `code cell ${from.cell}, line ${from.line}: ${message}`;
  });
  if (errors.length === 0) {
    return [report.trim().split("\n").filter((line) => line.startsWith("error")).at(-1) ?? report];
  }
  if (errors.length <= mostErrors) return errors;
  return [...errors.slice(0, mostErrors), `and ${errors.length - mostErrors} more`];
}
