/** What a closed terminal does to jobs. */
import assert from "node:assert/strict";
import { withTemporaryFolder } from "../../lib/testing/temporary_folder.ts";
import { hasTerminal, Terminal } from "./terminal.ts";

const source = `
import { runJob } from "${new URL("../../lib/cli/run_job.ts", import.meta.url)}";

await runJob({
  name: "example",
  summary: "An example that hears of a closed terminal",
  settings: {},
  main: async ({ signal, gone, print }) => {
    const { promise: over, resolve: end } = Promise.withResolvers();
    signal.addEventListener("abort", end);
    const patience = setTimeout(end, Number(Deno.env.get("PATIENCE_MS") ?? 20_000));
    Deno.kill(Deno.pid, Deno.env.get("KILL_WITH") ?? "SIGHUP");
    await over;
    clearTimeout(patience);
    print(signal.aborted ? "stopped, and nobody is there: " + gone.aborted : "left alone");
    return { ok: true };
  },
});
`;

/** Arguments of Deno. */
async function withExample(body: (args: readonly string[], folder: string) => Promise<void>): Promise<void> {
  await withTemporaryFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/job.ts`, source);
    const config = new URL("../../deno.json", import.meta.url).pathname;
    await body(["run", "-A", "-q", "--no-check", "--config", config, `${folder}/job.ts`], folder);
  });
}

Deno.test({
  name: "a terminal that is closed stops its job as cleanly as Ctrl-C",
  ignore: !hasTerminal,
  fn: () =>
    withExample(async (args, folder) => {
      await using terminal = new Terminal(args, { folder });
      await terminal.expect(/stopped, and nobody is there: true/);
      assert.equal(await terminal.ended(), 0);
    }),
});

Deno.test({
  name: "after Ctrl-C there is still somebody to be told",
  ignore: !hasTerminal,
  fn: () =>
    withExample(async (args, folder) => {
      await using terminal = new Terminal(args, { folder, environment: { KILL_WITH: "SIGINT" } });
      await terminal.expect(/stopped, and nobody is there: false/);
    }),
});

Deno.test("a job that was started with nohup goes on when the terminal is closed", () =>
  withExample(async (args, cwd) => {
    const env = { PATIENCE_MS: "1000" };
    const command = new Deno.Command("nohup", { args: [Deno.execPath(), ...args], cwd, env, stdin: "null" });
    const { code, stdout, stderr } = await command.output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    assert.match(new TextDecoder().decode(stdout), /left alone/);
  }));
