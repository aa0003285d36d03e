/** What Deno's permissions refuse, said with the command that allows it. */
import { WeirError } from "../errors.ts";
import { readProjectFile, runtimeFlags } from "./project_file.ts";

/** Something a job needs beside the defaults of its permission set. */
export type Need =
  /** `host` or `host:port`; `*.host` is every host below it. */
  | { readonly kind: "host"; readonly host: string }
  | { readonly kind: "folder"; readonly path: string }
  /** To be read. */
  | { readonly kind: "file"; readonly path: string };

type Access = "net" | "read" | "write";

/**
 * Makes sure that hosts (`host:port`), folders and files named by the user are within reach, before anything is done.
 *
 * @param job its name: that of its file and of its permission set
 *
 * Throws `configuration` with the exact command to run instead.
 */
export function requirePermissions(job: string, needs: readonly Need[]): void {
  const missing = needs.filter((need) => accesses(need).some(([name, value]) => !isGranted(name, value)));
  if (missing.length === 0) return;
  const names = missing.map((need) => need.kind === "host" ? need.host : need.path);
  throw new WeirError("configuration", `the job's permissions do not reach ${names.join(" and ")}`, {
    advice: Deno.build.standalone
      ? `Compile it again, with more: ${compileCommand(job, missing)}`
      : `Run: ${commandFor(job, missing, Deno.args)}`,
  });
}

/**
 * The command that runs a job with more permissions. A flag replaces what the set grants of its kind, so it repeats that; what else
 * of the runtime the job's task asks for is asked for again.
 */
export function commandFor(job: string, needs: readonly Need[], args: readonly string[]): string {
  const { permissions, tasks } = readProjectFile();
  const defaults = permissions[job] ?? {};
  const task = Object.values(tasks).find(({ command }) => command.includes(` -P=${job} `))?.command ?? "";
  const unstable = runtimeFlags(task);
  const wanted = needs.flatMap(accesses);
  const flags = (["net", "read", "write"] as const).flatMap((access) => {
    const more = wanted.filter(([name]) => name === access).map(([, value]) => value);
    return more.length === 0 ? [] : [`--allow-${access}=${[...defaults[access] ?? [], ...more].join(",")}`];
  });
  return ["deno", "run", "--no-prompt", ...unstable, `-P=${job}`, ...flags, `jobs/${job}.ts`, ...args].map(shellWord)
    .join(" ");
}

/** The command that compiles a job with more permissions: those of a binary are settled with it. */
export function compileCommand(job: string, needs: readonly Need[]): string {
  const hosts = needs.flatMap((need) => need.kind === "host" ? ["--hosts", need.host] : []);
  const folders = needs.flatMap((need) => need.kind === "host" ? [] : ["--folders", need.path]);
  return ["deno", "task", "compile", job, ...hosts, ...folders].map(shellWord).join(" ");
}

/** A refusal by Deno as one of our errors; everything else unchanged. */
export function explainRefusal(thrown: unknown): unknown {
  if (!(thrown instanceof Deno.errors.NotCapable)) return thrown;
  const flag = /--allow-[a-z]+/.exec(thrown.message)?.[0];
  const [access = "Requires more access"] = /Requires .*? access(?: to [^,]+)?/.exec(thrown.message) ?? [];
  return new WeirError("configuration", `refused by Deno's permissions: ${access}`, {
    cause: thrown,
    advice: adviceFor(flag),
  });
}

function adviceFor(flag: string | undefined): string {
  if (Deno.build.standalone) return "Compile the job again, with --hosts or --folders for it";
  return flag === undefined ? "Run the job by its task" : `Run the job with ${flag} for it beside its permission set`;
}

function accesses(need: Need): [Access, string][] {
  if (need.kind === "host") return [["net", need.host]];
  return need.kind === "file" ? [["read", need.path]] : [["read", need.path], ["write", need.path]];
}

function isGranted(name: Access, value: string): boolean {
  // Of all hosts below one a flag can speak, a question cannot: it is asked for one of them.
  const host = value.replace(/^\*\./, "any.");
  const descriptor: Deno.PermissionDescriptor = name === "net" ? { name, host } : { name, path: value };
  return Deno.permissions.querySync(descriptor).state === "granted";
}

/** A word as a shell takes it. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
