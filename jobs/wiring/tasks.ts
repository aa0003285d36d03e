/** The tasks of this project, as `deno task` lists them. */

/** A task, with its sentence. */
export interface Task {
  readonly name: string;
  readonly description: string;
  /** The file of `jobs/` that it runs, without its folder, if it runs one. */
  readonly file?: string;
}

interface Configuration {
  readonly tasks: Readonly<Record<string, { readonly description?: string; readonly command: string }>>;
}

/** Reads `deno.json` of the folder that the task runs in; without one there are none. */
export function readTasks(): readonly Task[] {
  const { tasks } = readConfiguration();
  return Object.entries(tasks).map(([name, { description = "", command }]) => {
    const [, file] = / jobs\/(\w+\.ts)\b/.exec(command) ?? [];
    return { name, description, ...file === undefined ? {} : { file } };
  });
}

function readConfiguration(): Configuration {
  try {
    return JSON.parse(Deno.readTextFileSync("deno.json")) as Configuration;
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return { tasks: {} };
    throw thrown;
  }
}
