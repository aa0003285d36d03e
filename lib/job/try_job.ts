/**
 * A job tried in a cell, before it becomes a file of `jobs/`.
 *
 * Promise: settings are found and checked as they are for a task, and paths count from the project's folder; but nothing is
 * recorded as a run, the process goes on, and an error is that of the cell.
 */
import { TextProgress } from "../cli/progress_text.ts";
import type { Job, JobContext, JobResult } from "../cli/run_job.ts";
import { taskCommand } from "../cli/task_command.ts";
import { projectFolder } from "../notebook/project.ts";
import { type Redaction, redaction } from "../settings/redaction.ts";
import { givenSecrets, resolveSettings } from "../settings/resolve.ts";
import type { Declarations } from "../settings/setting.ts";
import { JobTrial } from "./job_trial.ts";
import { trialSources, type TriedSettings } from "./tried_settings.ts";

/** What a trial may be given beside settings. */
export interface TryJobOptions {
  /** The word without a flag, of a job that takes one. */
  readonly operand?: string;
  /** Stops the job as Ctrl-C would. Default: never. */
  readonly signal?: AbortSignal;
  /** Takes what the job prints, and its progress now and then. Default: the cell's output. */
  readonly say?: (text: string) => void;
}

/**
 * Runs a job's main here. Throws `configuration` for a setting that the job has not, or a value that is wrong; and what the job throws.
 *
 * @param given What a user would give as flags; the environment and the project's `.env` count for the others.
 *
 * @example
 * ```ts
 * import { declareJob } from "../cli/run_job.ts";
 * import { integer } from "../settings/kinds.ts";
 * import { tryJob } from "./try_job.ts";
 * import assert from "node:assert/strict";
 *
 * const job = declareJob({
 *   name: "double",
 *   summary: "Say what twice a number is",
 *   settings: { most: integer({ flag: "top", help: "The number", defaultText: "1", minimum: 0, maximum: 9 }) },
 *   main: ({ settings }) => Promise.resolve({ ok: true, twice: 2 * settings.most }),
 * });
 * const { result, command } = await tryJob(job, { most: 4 });
 * assert.equal(result.twice, 8);
 * assert.equal(command, "deno task double --top 4");
 * await assert.rejects(tryJob(job, { most: 10 }), { message: '--top "10" is out of range' });
 * ```
 */
export async function tryJob<Declared extends Declarations, Result extends JobResult>(
  job: Job<Declared, Result>,
  given: TriedSettings<Declared> = {},
  { operand, signal = new AbortController().signal, say = console.log }: TryJobOptions = {},
): Promise<JobTrial<Result>> {
  const sources = await trialSources(job, given);
  const settings = resolveSettings(job.settings, sources);
  const redact = redaction(givenSecrets(job.settings, sources));
  const command: JobContext<Declared>["command"] = (task, { of, more }) => taskCommand(task, { of, sources, more });
  const { signal: gone } = new AbortController();
  const voice = voiceOf((text) => say(redact(text)));
  const result = await inProjectFolder(() => job.main({ settings, operand, signal, gone, command, ...voice }))
    .catch((thrown) => {
      throw withoutSecrets(thrown, redact);
    });
  voice.progress.end();
  const asked = { of: job.settings, sources: { ...sources, environment: () => undefined } };
  const more = operand === undefined ? [] : [operand];
  return new JobTrial(result, taskCommand(job.name, { ...asked, more }), redact);
}

/** The error itself, with its causes: what a cell shows is kept in the notebook. */
function withoutSecrets(thrown: unknown, redact: Redaction): unknown {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    error.message = redact(error.message);
    error.stack = redact(error.stack ?? "");
  }
  return thrown;
}

let trials = 0;
let folderBefore = "";

/** A notebook's own folder is another one than a task's. A process has one: the last of several trials goes back to it. */
async function inProjectFolder<Result>(body: () => Promise<Result>): Promise<Result> {
  if (trials === 0) folderBefore = Deno.cwd();
  Deno.chdir(projectFolder());
  trials += 1;
  try {
    return await body();
  } finally {
    trials -= 1;
    if (trials === 0) Deno.chdir(folderBefore);
  }
}

/** How a job speaks. */
function voiceOf(say: (text: string) => void): Pick<JobContext<Declarations>, "progress" | "print" | "writeRows"> {
  const progress = new TextProgress({ write: (text) => say(text.trimEnd()) });
  const print = (text: string) => {
    progress.end();
    say(text);
  };
  const writeRows = (bytes: Uint8Array) => {
    print(new TextDecoder().decode(bytes).trimEnd());
    return true;
  };
  return { progress, print, writeRows };
}
