/** Deno, started by itself: to check, to format, to compile. */
import { WeirError } from "../../lib/errors.ts";

/** What it said. */
export interface DenoAnswer {
  readonly ok: boolean;
  readonly output: string;
  /** What stood on standard error. */
  readonly report: string;
}

/**
 * Runs a command of Deno: of the very one that runs this where that may be started, otherwise of the one that the system finds.
 *
 * Throws `precondition` where there is none.
 *
 * @param options.cwd Default: the folder that this runs in.
 * @param options.input What it reads. Default: nothing.
 */
export async function deno(
  args: readonly string[],
  { cwd = ".", input = "" }: { readonly cwd?: string; readonly input?: string } = {},
): Promise<DenoAnswer> {
  const child = started(args, cwd);
  const given = new Blob([input]).stream().pipeTo(child.stdin);
  const [{ success, stdout, stderr }] = await Promise.all([child.output(), given]);
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { ok: success, output: text(stdout), report: text(stderr) };
}

/** The report of a check of types; undefined where there is nothing to report. */
export async function typeErrors(path: string): Promise<string | undefined> {
  const { ok, report } = await deno(["check", "--quiet", path]);
  return ok ? undefined : report;
}

/** A module as the project formats it. It has to be without errors. */
export async function formatted(text: string): Promise<string> {
  const { ok, output, report } = await deno(["fmt", "--quiet", "--ext", "ts", "-"], { input: text });
  if (ok) return output;
  throw new WeirError("internal", "a module's text cannot be formatted", { cause: new Error(report) });
}

function started(args: readonly string[], cwd: string): Deno.ChildProcess {
  const itself = Deno.execPath();
  const { state } = Deno.permissions.querySync({ name: "run", command: itself });
  const pipes = { stdin: "piped", stdout: "piped", stderr: "piped" } as const;
  try {
    const program = state === "granted" ? itself : "deno";
    return new Deno.Command(program, { args: [...args], cwd, env: { NO_COLOR: "1" }, ...pipes }).spawn();
  } catch (thrown) {
    if (!(thrown instanceof Deno.errors.NotFound || thrown instanceof Deno.errors.NotCapable)) throw thrown;
    throw new WeirError("precondition", "Deno, which this job starts, is not found on the PATH", {
      cause: thrown,
      advice: "Add the folder that deno is in to PATH",
    });
  }
}
