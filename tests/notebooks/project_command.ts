/** Deno run in a copy of the project, as a user runs it there. */
import { dirname } from "node:path";

/** What it said. */
export interface CommandEnd {
  readonly ok: boolean;
  /** Standard output. */
  readonly output: string;
  /** Standard error. */
  readonly report: string;
}

/** Runs it to its end, without what the shell of the tests has set for jobs. A job that starts Deno finds this one. */
export async function runDeno(folder: string, args: readonly string[]): Promise<CommandEnd> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: folder,
    env: {
      NO_COLOR: "1",
      WEIR_LAKE: "",
      POSTGRES_URL: "",
      PATH: `${dirname(Deno.execPath())}:${Deno.env.get("PATH")}`,
    },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { ok: success, output: decoder.decode(stdout), report: decoder.decode(stderr) };
}
