/** What Deno's permissions refuse, said with the command that allows it. */
import { WeirError } from "../errors.ts";

/** Something a job needs beside the defaults of its permission set. */
export type Need =
  | { readonly kind: "host"; readonly host: string }
  | { readonly kind: "folder"; readonly path: string };

/** Flags that grant a need. */
const flagsOf = (need: Need): string[] =>
  need.kind === "host" ? [`--allow-net=${need.host}`] : [`--allow-read=${need.path}`, `--allow-write=${need.path}`];

/**
 * Makes sure that hosts and folders named by the user are within reach, before anything is done.
 *
 * Throws `configuration` with the exact command to run instead.
 */
export async function requirePermissions(job: string, needs: readonly Need[]): Promise<void> {
  const missing: Need[] = [];
  for (const need of needs) if (!await isGranted(need)) missing.push(need);
  if (missing.length === 0) return;
  const names = missing.map((need) => need.kind === "host" ? need.host : need.path);
  throw new WeirError("configuration", `the job's permissions do not reach ${names.join(" and ")}`, {
    advice: `Run: ${commandFor(job, missing, Deno.args)}`,
  });
}

/** The command that runs a job with more permissions. */
export function commandFor(job: string, needs: readonly Need[], args: readonly string[]): string {
  const words = ["deno", "run", `-P=${job}`, ...needs.flatMap(flagsOf), `jobs/${job}.ts`, ...args];
  return words.map(shellWord).join(" ");
}

/** A refusal by Deno as one of our errors; everything else unchanged. */
export function explainRefusal(thrown: unknown): unknown {
  if (!(thrown instanceof Deno.errors.NotCapable)) return thrown;
  const flag = /--allow-[a-z]+/.exec(thrown.message)?.[0];
  const [access = "more access"] = /Requires .*? access(?: to [^,]+)?/.exec(thrown.message) ?? [];
  return new WeirError("configuration", `Deno's permissions refused something: ${access}`, {
    cause: thrown,
    advice: flag === undefined
      ? "Run the job by its task"
      : `Run the job with ${flag} for it beside its permission set`,
  });
}

async function isGranted(need: Need): Promise<boolean> {
  const asked: Deno.PermissionDescriptor[] = need.kind === "host"
    ? [{ name: "net", host: need.host }]
    : [{ name: "read", path: need.path }, { name: "write", path: need.path }];
  const states = await Promise.all(asked.map((descriptor) => Deno.permissions.query(descriptor)));
  return states.every(({ state }) => state === "granted");
}

function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
