/** Commands as a user types them. */
import { givenFlags, type SettingSources } from "../settings/resolve.ts";
import type { Declarations } from "../settings/setting.ts";
import { shellWord } from "./permission.ts";
import { startOf } from "./start.ts";

/** What is given to a task. */
export interface TaskFlags {
  /** What the user gave for these settings … */
  readonly of: Declarations;
  /** … there … */
  readonly sources: SettingSources;
  /** … and more, as they are. Default: none. */
  readonly more?: readonly string[] | undefined;
}

/** The command that runs a task, or the binary of its job where this is one, as a shell takes it. */
export function taskCommand(task: string, { of, sources, more = [] }: TaskFlags): string {
  return [startOf(task), ...[...givenFlags(of, sources), ...more].map(shellWord)].join(" ");
}
