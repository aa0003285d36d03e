/** A job's entries in `deno.json`: its task and its permission set. */
import { isDeepStrictEqual } from "node:util";
import { WeirError } from "../errors.ts";
import { jobPermissions, type PermissionSet } from "./job_permissions.ts";
import { withMember } from "./json_members.ts";

/** A job that is to have them. */
export interface ConfiguredJob {
  readonly name: string;
  readonly summary: string;
  /** Its module. */
  readonly text: string;
}

interface Configuration {
  readonly tasks?: Readonly<Record<string, { readonly description?: string; readonly command: string }>>;
  readonly permissions?: Readonly<Record<string, PermissionSet>>;
}

const runsJob = / -P=(\w+) jobs\/\w+\.ts\b/;

/** Its file in `jobs/` and its permission set are called by this. */
export function fileName(job: string): string {
  return job.replace(/[:-]/g, "_");
}

/**
 * The text of `deno.json` with them, behind those of the other jobs. What somebody has added to the job's own command or permissions
 * stays; where nothing is to be changed, the text is the same.
 *
 * Throws `configuration` where the name belongs to another task, or its permission set to one.
 */
export function withJob(text: string, job: ConfiguredJob): string {
  const { tasks = {}, permissions = {} } = JSON.parse(text) as Configuration;
  const set = fileName(job.name);
  const task = own(tasks, job.name);
  requireFree(job.name, { tasks, permissions });
  const [lastTask, lastSet] = lastJob(tasks);
  const command = task?.command ?? `deno install && deno run -q --no-prompt -P=${set} jobs/${set}.ts`;
  const granted = jobPermissions(job.text, own(permissions, set));
  let changed = text;
  if (task?.description !== job.summary) {
    const value = { description: job.summary, command };
    changed = withMember(changed, "tasks", { name: job.name, value, after: lastTask });
  }
  if (isDeepStrictEqual(own(permissions, set), granted)) return changed;
  return withMember(changed, "permissions", { name: set, value: granted, after: lastSet });
}

function requireFree(name: string, { tasks = {}, permissions = {} }: Configuration): void {
  const set = fileName(name);
  const task = own(tasks, name);
  const isOwn = task?.command.includes(` -P=${set} jobs/${set}.ts`) ?? false;
  if (isOwn) return;
  const advice = "Give the job another name";
  if (task !== undefined) throw new WeirError("configuration", `deno.json has another task ${name}`, { advice });
  const other = Object.entries(tasks).find(([, { command }]) => command.includes(`-P=${set} `))?.[0];
  if (other === undefined && own(permissions, set) === undefined) return;
  const whose = other === undefined ? "no job of that name" : `the task ${other}`;
  throw new WeirError("configuration", `deno.json has a permission set ${set}, which is of ${whose}`, { advice });
}

/** A job may be called as something that every object has, such as `constructor`. */
function own<Value>(values: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined;
}

function lastJob(tasks: NonNullable<Configuration["tasks"]>): readonly [task?: string, set?: string | undefined] {
  const jobs = Object.entries(tasks).flatMap(([name, { command }]) => {
    const [, set] = runsJob.exec(command) ?? [];
    return set === undefined ? [] : [[name, set] as const];
  });
  return jobs.at(-1) ?? [];
}
