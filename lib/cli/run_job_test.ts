import assert from "node:assert/strict";
import { lastRun } from "./run_record.ts";

const root = new URL("../../", import.meta.url);

/** A job of every behaviour, chosen by `--lake`. */
const source = `
import { runJob } from "${new URL("run_job.ts", import.meta.url)}";
import { settings as allSettings } from "${new URL("../settings/declarations.ts", import.meta.url)}";
import { WeirError } from "${new URL("../errors.ts", import.meta.url)}";

await runJob({
  name: "example",
  summary: "An example.",
  settings: {
    lake: allSettings.lake,
    tables: allSettings.tables,
    postgresUrl: allSettings.postgresUrl,
    rate: allSettings.rate,
  },
  main: async ({ settings, signal, print, progress, command }) => {
    if (settings.lake === "silent" && !signal.aborted) await new Promise((done) => signal.addEventListener("abort", done));
    progress.update({ activity: "working", rows: 1 });
    print("at " + settings.postgresUrl);
    if (settings.lake.startsWith("next")) {
      print("Next: " + command("other", { of: { lake: allSettings.lake, tables: allSettings.tables }, more: ["--follow"] }));
    }
    const held = setTimeout(() => {}, 60_000);
    if (settings.lake === "fail") throw new WeirError("connection", "cannot reach " + settings.postgresUrl);
    if (settings.lake === "reject") await Promise.all([new Promise(() => {}), void Promise.reject(new Error("row of alice"))]);
    if (settings.lake === "wait" && !signal.aborted) await new Promise((done) => signal.addEventListener("abort", done));
    if (settings.lake === "slow") {
      await new Promise((done) => signal.addEventListener("abort", done));
      await new Promise((done) => setTimeout(done, 500));
    }
    if (settings.lake === "deaf") await new Promise(() => {});
    return { ok: settings.lake !== "wrong", rows: 12n, snapshotId: 2n ** 62n };
  },
});
`;

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunOptions {
  readonly environment?: Record<string, string>;
  /** How often Ctrl-C is pressed, once the job works. */
  readonly interruptions?: number;
  /** How long after the job has answered it. Default 300. */
  readonly gapMs?: number;
  /** Whether nobody reads standard output. */
  readonly unread?: boolean;
  /** Whether nobody reads standard error. */
  readonly deaf?: boolean;
}

async function runExample(
  args: readonly string[],
  { environment = {}, interruptions = 0, gapMs = 300, unread = false, deaf = false }: RunOptions = {},
): Promise<Ended> {
  const script = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(script, source);
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-q",
        "--no-prompt",
        "--config",
        new URL("deno.json", root).pathname,
        "-P=pipeline",
        script,
        ...args,
      ],
      cwd: root,
      env: { NO_COLOR: "1", ...environment },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const stdout = unread ? child.stdout.cancel().then(() => "") : new Response(child.stdout).text();
    const stderr = deaf ? child.stderr.cancel().then(() => "") : interrupted(child, { times: interruptions, gapMs });
    const { code } = await child.status;
    return { code, stdout: await stdout, stderr: await stderr };
  } finally {
    await Deno.remove(script);
  }
}

async function interrupted(
  child: Deno.ChildProcess,
  { times, gapMs }: { readonly times: number; readonly gapMs: number },
): Promise<string> {
  let [text, sent] = ["", 0];
  for await (const part of child.stderr.pipeThrough(new TextDecoderStream())) {
    text += part;
    const answered = text.split("stopping after").length - 1;
    if (sent < times && text.includes("working") && answered === sent) {
      if (sent > 0) await new Promise((done) => setTimeout(done, gapMs));
      child.kill("SIGINT");
      sent++;
    }
  }
  return text;
}

Deno.test("--help and success exit with 0, a result that is not ok with 1", async () => {
  const help = await runExample(["--help"]);
  assert.equal(help.code, 0);
  assert.match(help.stdout, /Usage: deno task example/);
  assert.equal((await runExample([])).code, 0);
  assert.equal((await runExample(["--lake", "wrong"])).code, 1);
});

Deno.test("--json prints one object and nothing else on standard output, on success, failure and misuse", async () => {
  const good = await runExample(["--json"]);
  assert.deepEqual(JSON.parse(good.stdout), { ok: true, rows: 12, snapshotId: String(2n ** 62n) });
  assert.match(good.stderr, /^at /m);
  for (const args of [["--json", "--lake", "fail"], ["--json", "--rate", "x"], ["--json", "--lake", "reject"]]) {
    const bad = await runExample(args);
    assert.equal(bad.code, 1, args.join(" "));
    const { ok, error } = JSON.parse(bad.stdout) as { ok: boolean; error: { advice: string } };
    assert.equal(ok, false);
    assert.ok(error.advice.length > 0);
    assert.match(bad.stderr, /^error: .*\n(?: .*\n)* {2}what to do: /m);
    assert.doesNotMatch(bad.stderr + bad.stdout, /alice/);
  }
});

Deno.test("--progress json makes every line of standard error an object: progress, notes, texts, errors", async () => {
  const ended = await Promise.all(
    [[], ["--lake", "fail"]].map((args) => runExample(["--json", "--progress", "json", ...args])),
  );
  const [good, bad] = ended.map(({ stderr }) => stderr.trimEnd().split("\n").map((line) => JSON.parse(line)));
  assert.deepEqual(good?.map(({ timeMs: _, ...rest }) => rest), [{ activity: "working", rows: 1 }, {
    text: "at undefined",
  }]);
  assert.match(bad?.at(-1).text, /^error: cannot reach undefined\n.*what to do: /s);
  const misused = await runExample(["--progress", "json", "--rate", "x"]);
  assert.match(JSON.parse(misused.stderr).text, /^error: --rate/);
  for (const { timeMs } of [...good ?? [], ...bad ?? []]) assert.ok(Math.abs(Date.now() - timeMs) < 60_000);
});

Deno.test("a job that says nothing notices a reader that has gone", async () => {
  const { code } = await runExample(["--progress", "json", "--lake", "silent"], { deaf: true });
  assert.equal(code, 141);
});

Deno.test("a command that may come next has the flags that this run had, as a shell takes them", async () => {
  const tables = ["public.*,!audit_*", `"it's"; $HOME`];
  const given = ["--lake", "next", ...tables.flatMap((pattern) => ["--tables", pattern]), "--rate", "5"];
  const { stdout } = await runExample(given);
  const next = /^Next: deno task other (.*)$/m.exec(stdout)?.[1];
  const shell = new Deno.Command("sh", { args: ["-c", `printf '%s\n' ${next}`] });
  const words = new TextDecoder().decode((await shell.output()).stdout).trimEnd().split("\n");
  assert.deepEqual(words, [...given.slice(0, -2), "--follow"]);
});

Deno.test("no stream shows a secret", async () => {
  const environment = { POSTGRES_URL: "postgres://me:s3cret@db.example/app" };
  for (const args of [[], ["--json", "--lake", "fail"], ["--debug", "--lake", "fail"]]) {
    const { stdout, stderr } = await runExample(args, { environment });
    assert.match(stdout + stderr, /me:\*\*\*@db\.example/);
    assert.doesNotMatch(stdout + stderr, /s3cret/);
  }
});

Deno.test("the first Ctrl-C stops cleanly, the second at once", async () => {
  const once = await runExample(["--lake", "wait"], { interruptions: 1 });
  assert.equal(once.code, 0, once.stderr);
  const twice = await runExample(["--lake", "deaf"], { interruptions: 2 });
  assert.equal(twice.code, 130, twice.stderr);
});

Deno.test("one Ctrl-C that arrives twice, by the terminal and by deno task, is one", async () => {
  const { code, stderr } = await runExample(["--lake", "slow"], { interruptions: 2, gapMs: 0 });
  assert.equal(code, 0, stderr);
});

Deno.test("a reader that goes away (| head) stops the job cleanly and is no error", async () => {
  for (const args of [["--help"], [], ["--json"], ["--lake", "wait"], ["--json", "--lake", "fail"]]) {
    const { code, stderr } = await runExample(args, { unread: true });
    assert.equal(code, 141, `${args.join(" ")}: ${stderr}`);
    assert.equal(stderr.includes("error:"), args.includes("fail"), stderr);
  }
});

Deno.test("what became of the last run is on record, without a word of what it said", async () => {
  const folder = new URL("data/state/runs", root).pathname;
  const environment = { POSTGRES_URL: "postgres://me:s3cret@db.example/app" };
  const ends = [[[], "ok"], [["--lake", "wrong"], "wrong"], [["--lake", "reject"], "failed"], [
    ["--lake", "fail"],
    "failed",
  ]] as const;
  for (const [args, outcome] of ends) {
    await runExample(args, { environment });
    assert.equal(lastRun("example", folder)?.outcome, outcome);
  }
  assert.equal(lastRun("example", folder)?.error, "connection");
  await runExample(["--help"]);
  assert.equal(lastRun("example", folder)?.outcome, "failed", "help is no run");
  const [, second] = await Promise.all([1, 2].map(() => runExample(["--lake", "deaf"], { interruptions: 2 })));
  assert.equal(second?.code, 130);
  assert.equal(lastRun("example", folder)?.outcome, "killed");
  assert.doesNotMatch(await Deno.readTextFile(`${folder}/example.json`), /s3cret|alice|db\.example/);
  await Deno.remove(`${folder}/example.json`);
});
