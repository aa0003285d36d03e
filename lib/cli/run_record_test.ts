import assert from "node:assert/strict";
import { lastRun, RunRecord } from "./run_record.ts";

async function inFolder(test: (folder: string) => void | Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a run is running until it says how it ended, and the first word counts", () =>
  inFolder((folder) => {
    assert.equal(lastRun("model:distill", folder), undefined);
    const record = new RunRecord("model:distill", folder);
    assert.equal(lastRun("model:distill", folder)?.outcome, "running");
    record.end("failed", "connection");
    record.end("ok");
    const { outcome, error, seconds, startedAt } = lastRun("model:distill", folder) ?? {};
    assert.deepEqual({ outcome, error }, { outcome: "failed", error: "connection" });
    assert.ok(seconds !== undefined && seconds < 10);
    assert.ok(Math.abs(Date.parse(startedAt ?? "") - Date.now()) < 10_000);
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["model_distill.json"]);
  }));

Deno.test("a run that was killed is not taken for one that runs", () =>
  inFolder(async (folder) => {
    const module = new URL("run_record.ts", import.meta.url);
    const script = `import { RunRecord } from "${module}";
      new RunRecord("verify", ${JSON.stringify(folder)}); console.log("begun"); setTimeout(() => {}, 60_000);`;
    const path = `${folder}/script.ts`;
    await Deno.writeTextFile(path, script);
    const args = ["run", "-q", "--no-prompt", `--allow-read=${folder}`, `--allow-write=${folder}`, path];
    const child = new Deno.Command(Deno.execPath(), { args, stdin: "null", stdout: "piped" }).spawn();
    const reader = child.stdout.getReader();
    await reader.read();
    assert.equal(lastRun("verify", folder)?.outcome, "running");
    child.kill("SIGKILL");
    await child.status;
    await reader.cancel();
    const { outcome, seconds } = lastRun("verify", folder) ?? {};
    assert.deepEqual({ outcome, seconds }, { outcome: "killed", seconds: undefined });
  }));

Deno.test("of two runs at once the record is of that which began last", () =>
  inFolder((folder) => {
    const [first, second] = [new RunRecord("capture", folder), new RunRecord("capture", folder)];
    first.end("failed", "storage");
    assert.equal(lastRun("capture", folder)?.outcome, "running");
    second.end("ok");
    assert.equal(lastRun("capture", folder)?.outcome, "ok");
  }));

Deno.test("a record that cannot be written or read stops nothing", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/file`, "");
    new RunRecord("embed", `${folder}/file`).end("ok");
    await Deno.writeTextFile(`${folder}/embed.json`, "{");
    assert.equal(lastRun("embed", folder), undefined);
    new RunRecord("embed", folder).end("ok");
    assert.equal(lastRun("embed", folder)?.outcome, "ok");
  }));
