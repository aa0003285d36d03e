/** The jobs that can be compiled, as their tasks and permission sets say. */
import { type PermissionSet, readProjectFile, runtimeFlags } from "../../../lib/cli/project_file.ts";
import { WeirError } from "../../../lib/errors.ts";
import { nearest } from "../../../lib/settings/nearest.ts";

/** A job as something to compile. */
export interface JobProgram {
  /** As in `deno task <name>`. */
  readonly name: string;
  /** Its file, from the project's folder. */
  readonly script: string;
  /** Flags of the runtime beside permissions. */
  readonly runtimeFlags: readonly string[];
  readonly permissions: PermissionSet;
}

/** These work on the project's own files, or start Deno on them: a binary has neither. */
const notCompiled = ["compile", "promote", "notebook"];

/** Every job with a task, in the order of the tasks. */
export function jobPrograms(): readonly JobProgram[] {
  const { tasks, permissions } = readProjectFile();
  return Object.entries(tasks).flatMap(([name, { command }]) => {
    const [, set, script] = / -P=(\w+) (jobs\/\w+\.ts)$/.exec(command) ?? [];
    if (set === undefined || script === undefined || notCompiled.includes(name)) return [];
    return [{ name, script, runtimeFlags: runtimeFlags(command), permissions: permissions[set] ?? {} }];
  });
}

/**
 * Those that a user names, parted by commas, each once: by their tasks, or by their files as permission sets are called. Without names
 * all.
 *
 * Throws `configuration` for a name that is none, with the nearest one.
 */
export function namedPrograms(programs: readonly JobProgram[], names: string | undefined): readonly JobProgram[] {
  const wanted = (names ?? "").split(",").map((name) => name.trim()).filter((name) => name !== "");
  if (wanted.length === 0) return programs;
  const named = wanted.map((name) => {
    const found = programs.find((program) => program.name === name || program.script === `jobs/${name}.ts`);
    if (found !== undefined) return found;
    const known = programs.map((program) => program.name);
    const meant = nearest(name, known);
    throw new WeirError("configuration", `There is no job ${name} to compile`, {
      advice: meant === undefined ? `Give one or more of ${known.join(",")}` : `Did you mean ${meant}?`,
    });
  });
  return [...new Set(named)];
}
