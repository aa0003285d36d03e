/** The tasks of this project, as `deno task` lists them. */
import { readProjectFile } from "../../lib/cli/project_file.ts";

/** A task, with its sentence. */
export interface Task {
  readonly name: string;
  readonly description: string;
}

/** Reads `deno.json` of the folder that the task runs in. */
export async function readTasks(): Promise<readonly Task[]> {
  const { tasks } = await readProjectFile();
  return Object.entries(tasks).map(([name, { description = "" }]) => ({ name, description }));
}
