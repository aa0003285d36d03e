/** What the project's `deno.json` says of the jobs. */

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

/** Reads it in the folder that a task runs in; where there is none it is empty. */
export function readProjectFile(): ProjectFile {
  const { tasks = {}, permissions = {}, imports = {} } = JSON.parse(fileText()) as Partial<ProjectFile>;
  return { tasks, permissions, imports };
}

function fileText(): string {
  try {
    return Deno.readTextFileSync("deno.json");
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return "{}";
    throw thrown;
  }
}

/** Flags of the runtime that a task gives its job beside a permission set, such as `--unstable-…`. */
export function runtimeFlags(command: string): readonly string[] {
  return command.match(/--unstable-[a-z-]+/g) ?? [];
}
