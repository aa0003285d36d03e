/** Jobs that do not come with Weir: what a user promoted from a notebook or wrote into `jobs/`, each with a task that runs it. */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { DeclaredJob } from "../../lib/cli/help.ts";
import { readTasks, type Task } from "./tasks.ts";

/** The tasks that run them. A binary has none: its jobs are those that it was compiled with. */
export function ownTasks(others: readonly Pick<DeclaredJob, "name">[]): readonly Task[] {
  if (Deno.build.standalone) return [];
  return readTasks().filter(({ name, file }) => file !== undefined && others.every((job) => job.name !== name));
}

/**
 * As they are declared. One that cannot be read is known by its task alone.
 *
 * @param others All that come with Weir.
 * @param note Takes a sentence on each that cannot be read.
 */
export async function ownJobs(
  others: readonly DeclaredJob[],
  note: (text: string) => void = () => {},
): Promise<readonly DeclaredJob[]> {
  return await Promise.all(
    ownTasks(others).map(async ({ name, description, file = "" }) => {
      try {
        const { job } = await import(pathToFileURL(resolve("jobs", file)).href) as { readonly job: DeclaredJob };
        return job;
      } catch (thrown) {
        const why = thrown instanceof Error ? thrown.message.split("\n")[0] : String(thrown);
        note(`jobs/${file} cannot be read, so that its settings are not known: ${why}`);
        return { name, summary: description, settings: {} };
      }
    }),
  );
}
