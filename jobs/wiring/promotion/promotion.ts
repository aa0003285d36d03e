/** A notebook's job as a file of `jobs/`, with its task and its permission set. */
import { relative, resolve } from "node:path";
import type { Progress } from "../../../lib/cli/progress.ts";
import { WeirError } from "../../../lib/errors.ts";
import { fileName, withJob } from "../../../lib/promote/job_configuration.ts";
import { jobModule, originOf, withOrigin } from "../../../lib/promote/job_module.ts";
import { taggedCells } from "../../../lib/promote/tagged_cells.ts";
import { formatted } from "../deno_command.ts";
import { checkedJob } from "./checked_job.ts";

/** What was done. */
export interface Promotion {
  readonly ok: boolean;
  /** The job's name, which is that of its task. */
  readonly job: string;
  readonly notebook: string;
  /** Its file. */
  readonly file: string;
  /** What was written; nothing where all of it was there already. */
  readonly changed: readonly string[];
}

interface PromoteOptions {
  readonly replace: boolean;
  readonly signal: AbortSignal;
  readonly progress: Pick<Progress, "note">;
}

const configurationFile = "deno.json";

/**
 * Writes the job, unless it stands there already. Nothing is written where anything about it is refused.
 *
 * Throws `configuration` where the notebook has no such job or one that does not compile alone, its name is taken, or its file differs
 * and is not to be replaced.
 *
 * @param options.replace Whether a file of an earlier promotion may be.
 * @param options.signal Ends it before anything is written, with its reason.
 */
export async function promote(
  path: string,
  { replace, signal, progress }: PromoteOptions,
): Promise<Promotion> {
  const notebook = relative(Deno.cwd(), resolve(path));
  const module = jobModule(taggedCells(await readNotebook(path), notebook), notebook);
  progress.note("checking the types of its cells");
  const { name, summary } = await checkedJob(module, { notebook, signal });
  const text = await formatted(withOrigin(module.text, { summary, path: notebook }));
  const before = await Deno.readTextFile(configurationFile);
  const configuration = withJob(before, { name, summary, text });
  const file = `jobs/${fileName(name)}.ts`;
  const there = await readIfThere(file);
  if (there !== undefined && there !== text) requireReplaceable(there, { file, replace });
  signal.throwIfAborted();
  const changed = [
    ...await writeChange(file, there, text),
    ...await writeChange(configurationFile, before, configuration),
  ];
  return { ok: true, job: name, notebook, file, changed };
}

/** Says it to people. */
export function promotionText({ job, notebook, file, changed }: Promotion): string {
  const done = changed.length === 0
    ? `${file} is as ${notebook} has it already; nothing was changed`
    : `wrote ${changed.join(" and ")} out of ${notebook}`;
  return `${done}\n\nNext:\n  deno task ${job} --help   shows its settings\n  deno task ${job}          runs it`;
}

async function readNotebook(path: string): Promise<string> {
  const text = await readIfThere(path);
  if (text !== undefined) return text;
  throw new WeirError("configuration", `there is no notebook ${path}`, {
    advice: "Give its path from the project's folder, such as notebooks/05_own_job.ipynb",
  });
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return undefined;
    throw thrown;
  }
}

function requireReplaceable(
  there: string,
  { file, replace }: { readonly file: string; readonly replace: boolean },
): void {
  const notebook = originOf(there);
  if (notebook === undefined) {
    throw new WeirError("configuration", `${file} is there and comes from no notebook`, {
      advice: "Give the job another name",
    });
  }
  if (replace) return;
  throw new WeirError("configuration", `${file} is there, differs, and was promoted from ${notebook}`, {
    advice: "Give --replace to write it anew, which drops what was changed in the file; or give the job another name",
  });
}

async function writeChange(path: string, before: string | undefined, text: string): Promise<readonly string[]> {
  if (before === text) return [];
  await Deno.writeTextFile(path, text);
  return [path];
}
