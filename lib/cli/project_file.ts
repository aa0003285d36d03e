/** What the project's `deno.json` says of the jobs. */
import { join } from "node:path";

/** A named permission set, as far as lists go: what is absent is refused. */
export type PermissionSet = Readonly<
  Partial<Record<"read" | "write" | "net" | "env" | "sys" | "run" | "ffi", readonly string[]>>
>;

/** The parts of the file that are read here. */
export interface ProjectFile {
  readonly tasks: Readonly<Record<string, { readonly description?: string; readonly command: string }>>;
  readonly permissions: Readonly<Record<string, PermissionSet>>;
  /** Packages by the name that they are imported with: `npm:NAME@VERSION`. */
  readonly imports: Readonly<Record<string, string>>;
}

/**
 * Reads it; where there is none it is empty.
 *
 * @param folder The project's. Default: the one that a task runs in.
 */
export function readProjectFile(folder = "."): ProjectFile {
  const { tasks = {}, permissions = {}, imports = {} } = JSON.parse(fileText(folder)) as Partial<ProjectFile>;
  return { tasks, permissions, imports };
}

function fileText(folder: string): string {
  try {
    return Deno.readTextFileSync(join(folder, "deno.json"));
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return "{}";
    throw thrown;
  }
}

/** Flags of the runtime that a task gives its job beside a permission set, such as `--unstable-…`. */
export function runtimeFlags(command: string): readonly string[] {
  return command.match(/--unstable-[a-z-]+/g) ?? [];
}
