import assert from "node:assert/strict";
import { join } from "node:path";
import { declareJob } from "../cli/run_job.ts";
import { display } from "../notebook/table_display.ts";
import { WeirError } from "../errors.ts";
import { projectFolder } from "../notebook/project.ts";
import { integer, list, secretText, toggle } from "../settings/kinds.ts";
import { withTemporaryFolder } from "../testing/temporary_folder.ts";
import type { TriedSettings } from "./tried_settings.ts";
import { tryJob, type TryJobOptions } from "./try_job.ts";

const job = declareJob({
  name: "example",
  summary: "Say what it was given",
  settings: {
    top: integer({ flag: "top", environment: "WEIR_TRIED_TOP", help: "A number", minimum: 1, maximum: 9 }),
    columns: list({ flag: "columns", help: "Names", placeholder: "NAME,…" }),
    index: toggle({ flag: "index", help: "A switch" }),
    token: secretText({ environment: "WEIR_EXAMPLE_TOKEN", help: "A secret", placeholder: "the token" }),
  },
  main: ({ settings, print, progress, command, signal, operand }) => {
    signal.throwIfAborted();
    progress.update({ activity: "counting", rows: 12 });
    const bad = `not ${settings.token}`;
    if (settings.top === 9) throw new WeirError("connection", bad, { cause: new Error(bad) });
    print(`${operand} with ${settings.token}`);
    print(command("other", { of: {}, more: ["--json"] }));
    return Promise.resolve({ ok: true, ...settings, rows: 2n ** 62n, folder: Deno.cwd() });
  },
});

async function trial(given: Readonly<Record<string, unknown>>, options: TryJobOptions = {}) {
  const said: string[] = [];
  const tried = await tryJob(job, given as TriedSettings<typeof job.settings>, {
    ...options,
    say: (text) => said.push(text),
  });
  return { ...tried, said, shown: await tried[display]() };
}

Deno.test("a job that is tried gets its settings as from flags, and what it says and gives back is shown", async () => {
  const given = { top: 3, columns: ["a", "b c"], index: true, token: "wh1spered" };
  const { result, command, said, shown } = await trial(given, { operand: "SELECT 1" });
  assert.deepEqual({ ...result, folder: "" }, {
    ok: true,
    top: 3,
    columns: ["a", "b c"],
    index: true,
    token: "wh1spered",
    rows: 2n ** 62n,
    folder: "",
  });
  assert.equal(command, "deno task example --top 3 --columns a --columns 'b c' --index 'SELECT 1'");
  assert.deepEqual(said, ["counting  12 rows", "SELECT 1 with ***", "deno task other --json"]);
  const text = String(shown["text/plain"]);
  assert.ok(text.startsWith(command) && text.includes('"rows": "4611686018427387904"'), text);
  assert.doesNotMatch(JSON.stringify([said, shown]), /wh1spered/);
});

Deno.test("settings that are not given are those of the environment, which the command does not repeat", async () => {
  Deno.env.set("WEIR_TRIED_TOP", "7");
  try {
    const { result, command } = await trial({});
    assert.deepEqual([result.top, command], [7, "deno task example"]);
  } finally {
    Deno.env.delete("WEIR_TRIED_TOP");
  }
});

Deno.test("a wrong value, an unknown setting and a stop are errors of the cell", async () => {
  await assert.rejects(trial({ top: 10 }), { kind: "configuration", message: '--top "10" is out of range' });
  await assert.rejects(trial({ tops: 1 }), { kind: "configuration", advice: "Did you mean top?" });
  await assert.rejects(trial({ xyzzy: 1 }), { advice: "It has top, columns, index, token" });
  await assert.rejects(trial({}, { signal: AbortSignal.abort(new Error("stopped")) }), /stopped/);
});

Deno.test("what a trial throws shows no secret", async () => {
  const thrown = await trial({ top: 9, token: "wh1spered" }).catch((error) => error);
  assert.equal(thrown.message, "not ***");
  assert.equal(thrown.kind, "connection");
  assert.doesNotMatch(Deno.inspect(thrown), /wh1spered/);
});

Deno.test("trials at the same time all run in the project's folder, and leave the process where it was", () =>
  // A process of its own: the folder is that of all tests.
  withTemporaryFolder(async (folder) => {
    const script = `
      import { declareJob } from "${new URL("../cli/run_job.ts", import.meta.url)}";
      import { tryJob } from "${new URL("try_job.ts", import.meta.url)}";
      const gates = [Promise.withResolvers(), Promise.withResolvers()];
      const before = Deno.cwd();
      const folders = [];
      const trials = gates.map(({ promise }, index) => tryJob(declareJob({
        name: "waiting",
        summary: "Say where it is, later",
        settings: {},
        main: async () => {
          if (index === 1) gates[0].resolve();
          await promise;
          folders.push(Deno.cwd());
          return { ok: true };
        },
      })));
      await trials[0];
      gates[1].resolve();
      await trials[1];
      console.log(JSON.stringify([...folders, Deno.cwd() === before]));`;
    await Deno.writeTextFile(`${folder}/trials.ts`, script);
    const configuration = join(projectFolder(), "deno.json");
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "-q", "--no-check", "--config", configuration, "trials.ts"],
      cwd: folder,
    }).output();
    const [said, report] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    assert.equal(report, "");
    assert.deepEqual(JSON.parse(said!), [projectFolder(), projectFolder(), true]);
  }));
