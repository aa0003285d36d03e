/** The tasks of this project, as `deno task` lists them. */

/** A task, with its sentence. */
export interface Task {
  readonly name: string;
  readonly description: string;
}

/** Reads `deno.json` of the folder that the task runs in. */
export async function readTasks(): Promise<readonly Task[]> {
  const { tasks } = JSON.parse(await Deno.readTextFile("deno.json")) as {
    readonly tasks: Readonly<Record<string, { readonly description?: string }>>;
  };
  return Object.entries(tasks).map(([name, { description = "" }]) => ({ name, description }));
}
