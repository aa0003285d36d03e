import assert from "node:assert/strict";
import { display } from "../notebook/table_display.ts";
import { withTemporaryFolder } from "../testing/temporary_folder.ts";
import type { JobFlags } from "./job_flags.ts";
import type { JobStep } from "./job_step.ts";
import { jobProcess, startJob, type StartJobOptions } from "./start_job.ts";
import { StartedJob } from "./started_job.ts";

const root = new URL("../../", import.meta.url);

/** Writes how it ended to the file `ended`. */
const source = `
import { runJob } from "${new URL("lib/cli/run_job.ts", root)}";
import { settings } from "${new URL("lib/settings/declarations.ts", root)}";
import { WeirError } from "${new URL("lib/errors.ts", root)}";

await runJob({
  name: "example",
  summary: "An example.",
  operand: { placeholder: "WORD", help: "Printed too" },
  settings: { follow: settings.follow, rate: settings.rate, tables: settings.tables },
  main: async ({ settings, operand, signal, print, progress }) => {
    progress.note("begins");
    for (let rows = 0; rows <= 3; rows++) progress.update({ activity: "step " + rows, rows, totalRows: 3, lagBytes: 0 });
    if (settings.rate === 13) throw new WeirError("precondition", "13 it is", { advice: "Take 14" });
    if (settings.follow) await new Promise((done) => signal.addEventListener("abort", done));
    await Deno.writeTextFile("ended", signal.aborted ? "stopped" : "by itself");
    print("<b> " + (operand ?? settings.tables.join(" ")));
    return { ok: settings.rate !== 2, rows: 3n };
  },
});
`;

/** A project with the one job, in a folder. */
async function withProject(body: (folder: string) => Promise<void>): Promise<void> {
  await withTemporaryFolder(async (folder) => {
    const task = `echo installed >&2 && deno run -q -A --config ${new URL("deno.json", root).pathname} example.ts`;
    await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify({ tasks: { example: task } }));
    await Deno.writeTextFile(`${folder}/example.ts`, source);
    await body(folder);
  });
}

function start(folder: string, flags: JobFlags = {}, options: StartJobOptions = {}): StartedJob {
  return new StartedJob(jobProcess("example", { folder, flags, ...options }));
}

async function ended(folder: string): Promise<string> {
  for (const untilMs = Date.now() + 10_000; Date.now() < untilMs;) {
    const text = await Deno.readTextFile(`${folder}/ended`).catch(() => "");
    if (text !== "") return text;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return "never";
}

/** Waits until a process has ended: telling it to go on then finds nobody. */
async function gone(pid: number): Promise<void> {
  for (const untilMs = Date.now() + 10_000; Date.now() < untilMs;) {
    try {
      Deno.kill(pid, "SIGCONT");
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.fail(`process ${pid} has not ended`);
}

Deno.test("a job is told from its beginning on to whoever asks, and ends with what it prints as JSON", () =>
  withProject(async (folder) => {
    const job = start(folder, { tables: ["public.*", "!audit"] });
    const { ok, rows } = await job.outcome();
    assert.deepEqual([ok, rows], [true, 3]);
    const steps: JobStep[] = await Array.fromAsync(job);
    assert.deepEqual(steps.map((step) => "note" in step ? step.note : `${step.activity} of ${step.totalRows}`), [
      "installed",
      "begins",
      ...[0, 1, 2, 3].map((row) => `step ${row} of 3`),
    ]);
    assert.deepEqual((await Array.fromAsync(job.states())).map(({ rows }) => rows), [0, 1, 2, 3]);
    const shown = (await job.outcome() as unknown as StartedJob)[display]();
    assert.match(
      String(shown["text/plain"]),
      /^deno task example --tables 'public\.\*' --tables '!audit': ended after/,
    );
    assert.match(String(shown["text/html"]), /&lt;b&gt; public\.\* !audit/);
  }));

Deno.test("a job that takes a word without a flag is given it as it is", () =>
  withProject(async (folder) => {
    const job = start(folder, { rate: 3 }, { operand: `SELECT "$HOME" AS 'a b'; *` });
    await job.outcome();
    const { "text/plain": shown } = await job[display]();
    assert.ok(String(shown).includes(`<b> SELECT "$HOME" AS 'a b'; *`), String(shown));
    assert.ok(job.command.startsWith(`deno task example --rate 3 'SELECT "$HOME" AS `), job.command);
  }));

Deno.test("a result that is not well is an outcome, a failure the error that the job speaks of", () =>
  withProject(async (folder) => {
    assert.equal((await start(folder, { rate: 2 }).outcome()).ok, false);
    const failing = start(folder, { rate: 13 });
    await assert.rejects(failing.outcome(), {
      name: "WeirError",
      kind: "precondition",
      message: "13 it is",
      advice: "Take 14",
    });
    assert.match(String(failing[display]()["text/plain"]), /error: 13 it is\n.*what to do: Take 14/s);
    await assert.rejects(start(folder, { rats: 1 }).outcome(), {
      kind: "configuration",
      advice: "Did you mean --rate?",
    });
    await assert.rejects(new StartedJob({ words: ["task", "-q", "nothing"], folder, command: "nothing" }).outcome(), {
      kind: "internal",
      message: /nothing ended with exit code 1:\n.*Task not found/,
    });
  }));

Deno.test("a job that is stopped ends by itself, and stopping it again does not cut it off", () =>
  withProject(async (folder) => {
    await using job = start(folder, { follow: true });
    for await (const { rows } of job.states()) if (rows === 3) break;
    const [first, second] = await Promise.all([job.stop(), job.stop()]);
    assert.deepEqual([first.ok, second.ok], [true, true]);
    assert.equal(await ended(folder), "stopped");
    assert.equal((await job.stop()).ok, true);
  }));

Deno.test("what a job leaves behind that is killed is stopped too", () =>
  withTemporaryFolder(async (folder) => {
    // It holds the output open for longer than the test may take.
    const script = 'new Deno.Command("sleep", { args: ["600"] }).spawn(); console.error(Deno.pid); Deno.exit(3);';
    await Deno.writeTextFile(`${folder}/short.ts`, script);
    const job = new StartedJob({ words: ["run", "-q", "-A", "short.ts"], folder, command: "short" });
    for await (const step of job) {
      if (!("note" in step)) continue;
      await gone(Number(step.note));
      break;
    }
    await assert.rejects(job.stop(), { kind: "internal", message: /^short ended with exit code 3/ });
  }));

Deno.test("a job whose starter is killed stops cleanly", () =>
  withProject(async (folder) => {
    const script = `
      import { StartedJob } from "${new URL("started_job.ts", import.meta.url)}";
      const job = new StartedJob(${JSON.stringify(jobProcess("example", { folder, flags: { follow: true } }))});
      for await (const { rows } of job.states()) if (rows === 3) console.log("runs");`;
    await Deno.writeTextFile(`${folder}/starter.ts`, script);
    const starter = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "-q", "--no-check", "--config", new URL("deno.json", root).pathname, "starter.ts"],
      cwd: folder,
      stdout: "piped",
    }).spawn();
    const reader = starter.stdout.getReader();
    await reader.read();
    starter.kill("SIGKILL");
    await reader.cancel();
    await starter.status;
    assert.equal(await ended(folder), "stopped");
  }));

Deno.test("what is no job of the project is not started, and the name that was meant is given", () => {
  assert.throws(() => startJob("pipelin"), { kind: "configuration", advice: "Did you mean pipeline?" });
  assert.throws(() => startJob("test"), { kind: "configuration" });
});
