/** Scripts that complete tasks, flags and their values, made from the declarations. */
import { bashScript } from "./bash.ts";
import type { Completable } from "./completable.ts";
import { fishScript } from "./fish.ts";
import { zshScript } from "./zsh.ts";

/** The shells there are scripts for. */
export const shells = ["bash", "zsh", "fish"] as const;

const makers = { bash: bashScript, zsh: zshScript, fish: fishScript };

/**
 * The script for a shell. It speaks up where a task is named in this project's folder; whatever else completed `deno` before
 * goes on doing so.
 */
export function completionScript(shell: typeof shells[number], completable: Completable): string {
  return makers[shell](completable);
}
