/** A job started out of the files that its binary holds, or as the binary itself. */
import { permissionFlags } from "../../jobs/wiring/binary/binary_permissions.ts";
import type { JobProgram } from "../../jobs/wiring/binary/job_program.ts";

/** How a run ended. */
export interface Ended {
  readonly code: number;
  readonly output: string;
  readonly log: string;
}

/** Starts a job with arguments, and waits for its end. */
export type Start = (...args: readonly string[]) => Promise<Ended>;

const noMore = { hosts: [], folders: [] };

/**
 * Of a program that is laid out. It sees no module but those that lie there, and has the permissions that its binary would have.
 *
 * @param place.folder Where it is laid out.
 * @param place.home Where it runs.
 * @param place.cache Of what Deno makes out of its modules.
 */
export function laidOutStart(
  { script, runtimeFlags, permissions }: JobProgram,
  { folder, home, cache }: { readonly folder: string; readonly home: string; readonly cache: string },
): Start {
  // A binary may read what it brings along.
  const granted = permissionFlags({ ...permissions, read: [...permissions.read ?? [], folder] }, noMore);
  const flags = ["run", "-q", "--cached-only", "--no-check", "--no-prompt", ...runtimeFlags, ...granted];
  const run = (args: readonly string[]) => [...flags, `${folder}/${script}`, ...args];
  return (...args) => ended(Deno.execPath(), run(args), { cwd: home, env: { DENO_DIR: cache } });
}

/** Of a binary, which Deno's own cache is of no use to. */
export function binaryStart(path: string, { home, cache }: { readonly home: string; readonly cache: string }): Start {
  return (...args) => ended(path, args, { cwd: home, env: { DENO_DIR: cache } });
}

async function ended(
  program: string,
  args: readonly string[],
  { cwd, env }: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Promise<Ended> {
  const options = { args: [...args], cwd, env: { NO_COLOR: "1", ...env }, stdin: "null" as const };
  const { code, stdout, stderr } = await new Deno.Command(program, options).output();
  const decoder = new TextDecoder();
  return { code, output: decoder.decode(stdout), log: decoder.decode(stderr) };
}
