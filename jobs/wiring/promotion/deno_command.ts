/** Deno itself, asked to check and to format. */
import { WeirError } from "../../../lib/errors.ts";

/** What it said. */
interface Answer {
  readonly ok: boolean;
  readonly output: string;
  readonly report: string;
}

/** The report of a check of types; undefined where there is nothing to report. */
export async function typeErrors(path: string): Promise<string | undefined> {
  const { ok, report } = await deno(["check", "--quiet", path]);
  return ok ? undefined : report;
}

/** A module as the project formats it. It has to be without errors. */
export async function formatted(text: string): Promise<string> {
  const { ok, output, report } = await deno(["fmt", "--quiet", "--ext", "ts", "-"], text);
  if (ok) return output;
  throw new WeirError("internal", "the job's text cannot be formatted", { cause: new Error(report) });
}

async function deno(args: readonly string[], input = ""): Promise<Answer> {
  const child = started(args);
  const given = new Blob([input]).stream().pipeTo(child.stdin);
  const [{ success, stdout, stderr }] = await Promise.all([child.output(), given]);
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { ok: success, output: text(stdout), report: text(stderr) };
}

function started(args: readonly string[]): Deno.ChildProcess {
  const pipes = { stdin: "piped", stdout: "piped", stderr: "piped" } as const;
  try {
    return new Deno.Command("deno", { args: [...args], env: { NO_COLOR: "1" }, ...pipes }).spawn();
  } catch (thrown) {
    if (!(thrown instanceof Deno.errors.NotFound || thrown instanceof Deno.errors.NotCapable)) throw thrown;
    throw new WeirError("precondition", "Deno, which checks and formats the job, is not found on the PATH", {
      cause: thrown,
      advice: "Add the folder that deno is in to PATH",
    });
  }
}
