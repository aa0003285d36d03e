/** A job out of cells, checked before anything is written: its types, and what it says about itself. */
import { parse, resolve } from "node:path";
import type { DeclaredJob } from "../../../lib/cli/help.ts";
import { frameSettings } from "../../../lib/cli/run_job.ts";
import { WeirError } from "../../../lib/errors.ts";
import { cellErrors } from "../../../lib/promote/check_report.ts";
import type { JobModule } from "../../../lib/promote/job_module.ts";
import { typeErrors } from "../deno_command.ts";
import { readCells } from "./read_cells.ts";

/** As tasks are called: it is a file's name too. */
const nameForm = /^[a-z][a-z0-9]*(?:[:_-][a-z0-9]+)*$/;
/** Fewer characters make no sentence. */
const leastSummary = 20;

/**
 * The job that a module declares. The module is read for that, where it will stand, and its main is not run.
 *
 * Throws `configuration` where it does not compile, does not come to its end, or is not declared as it has to be.
 *
 * @param options.notebook names it in errors.
 * @param options.signal Ends the check, with its reason.
 */
export async function checkedJob(
  module: JobModule,
  { notebook, signal }: { readonly notebook: string; readonly signal: AbortSignal },
): Promise<DeclaredJob> {
  // Always the same: Deno then checks no more than what has changed since the last time.
  const path = resolve(`jobs/.${parse(notebook).name}.ts`);
  try {
    await Deno.writeTextFile(path, module.text);
    const report = await typeErrors(path);
    // Ctrl-C in a terminal ends the check too, and what is left of its report says nothing.
    signal.throwIfAborted();
    if (report !== undefined) throw notCompiling(report, module, notebook);
    const { job } = await readCells(path, { module, notebook });
    requireSound(job);
    return job;
  } finally {
    await Deno.remove(path).catch(() => {});
  }
}

function notCompiling(report: string, module: JobModule, notebook: string): WeirError {
  const errors = cellErrors(report, module).map((error) => `\n  ${error}`).join("");
  return new WeirError("configuration", `the tagged cells of ${notebook} do not compile by themselves${errors}`, {
    advice: "Put that right; where a name is not found, tag the cell that has it too",
  });
}

function requireSound({ name, summary, settings }: DeclaredJob): void {
  if (!nameForm.test(name)) {
    throw new WeirError("configuration", `a job cannot be called ${JSON.stringify(name)}`, {
      advice: "Use small letters and digits, with _, - or : between words",
    });
  }
  if (summary.length <= leastSummary || summary.includes("\n")) {
    throw new WeirError("configuration", `the summary of the job ${name} is no sentence of one line`, {
      advice: `Say in more than ${leastSummary} characters what it does: deno task and --help show it`,
    });
  }
  const flags = [...Object.values(frameSettings), ...Object.values(settings)].map(({ flag }) => flag);
  const twice = ["help", ...flags].find((flag, index, all) => flag !== undefined && all.indexOf(flag) < index);
  if (twice === undefined) return;
  throw new WeirError("configuration", `the job ${name} has two settings with the flag --${twice}`, {
    advice: `Call one of them otherwise; every job has ${
      Object.values(frameSettings).map(({ flag }) => `--${flag}`).join(", ")
    } and --help`,
  });
}
