/** The tasks of this project, as `deno task` lists them. */
import { readProjectFile } from "../../lib/cli/project_file.ts";

/** A task, with its sentence. */
export interface Task {
  readonly name: string;
  readonly description: string;
  /** The file of `jobs/` that it runs, without its folder, if it runs one. */
  readonly file?: string;
}

/** Reads `deno.json` of the folder that the task runs in; without one there are none. */
export function readTasks(): readonly Task[] {
  return Object.entries(readProjectFile().tasks).map(([name, { description = "", command }]) => {
    const [, file] = / jobs\/(\w+\.ts)\b/.exec(command) ?? [];
    return { name, description, ...file === undefined ? {} : { file } };
  });
}
