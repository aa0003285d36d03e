/** Jobs of this project, started from a program or a cell. */
import { shellWord } from "../cli/permission.ts";
import { readProjectFile } from "../cli/project_file.ts";
import { WeirError } from "../errors.ts";
import { projectFolder } from "../notebook/project.ts";
import { nearest } from "../settings/nearest.ts";
import { flagWords, type JobFlags } from "./job_flags.ts";
import type { OutcomeOf } from "./job_outcome.ts";
import { type JobProcess, StartedJob } from "./started_job.ts";

/** What a job may be given beside flags. */
export interface StartJobOptions {
  /** The word without a flag, of a job that takes one. */
  readonly operand?: string;
}

/**
 * Starts a job as `deno task` does: in a process of its own, in the project's folder, with the job's permissions and this environment.
 *
 * @param name As `deno task` lists it: `pipeline`, `maintain` …
 * @param flags Its flags by their names: `{ follow: true, batchSeconds: 0.5 }`. Default: none.
 *
 * Throws `configuration` with the nearest name where there is no such job. What else goes wrong the job's outcome tells.
 *
 * @example
 * ```ts
 * import { startJob } from "./start_job.ts";
 * import assert from "node:assert/strict";
 *
 * await using job = startJob("jobs", { job: "maintain" });
 * const { ok } = await job.outcome();
 * assert.ok(ok);
 * ```
 */
export function startJob<Name extends string>(
  name: Name,
  flags: JobFlags = {},
  options: StartJobOptions = {},
): StartedJob<OutcomeOf<Name>> {
  const folder = projectFolder();
  requireJob(name, folder);
  return new StartedJob(jobProcess(name, { folder, flags, ...options }));
}

/** What is run for a job of a project. */
export function jobProcess(
  name: string,
  { folder, flags, operand }: StartJobOptions & { readonly folder: string; readonly flags: JobFlags },
): JobProcess {
  const words = flagWords(flags);
  const word = operand === undefined ? [] : [operand];
  return {
    folder,
    words: ["task", "-q", name, ...words, "--json", "--progress=json", ...word],
    command: ["deno", "task", name, ...words.map(typed), ...word.map(shellWord)].join(" "),
  };
}

/** `--tables=public.*` as people type it. */
function typed(word: string): string {
  const [, flag, value] = /^([^=]*)=(.*)$/s.exec(word) ?? [];
  return flag === undefined || value === undefined ? word : `${flag} ${shellWord(value)}`;
}

function requireJob(name: string, folder: string): void {
  const { tasks } = readProjectFile(folder);
  const jobs = Object.keys(tasks).filter((task) => / jobs\/\w+\.ts\b/.test(tasks[task]!.command));
  if (jobs.includes(name)) return;
  const meant = nearest(name, jobs);
  throw new WeirError("configuration", `There is no job ${name}`, {
    advice: meant === undefined ? `Start one of ${jobs.join(", ")}` : `Did you mean ${meant}?`,
  });
}
