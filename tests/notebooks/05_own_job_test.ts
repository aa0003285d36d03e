import assert from "node:assert/strict";
import type { Promotion } from "../../jobs/wiring/promotion/promotion.ts";
import type { JobListing } from "../../jobs/wiring/job_listing.ts";
import { notebookTest, type ShownCells } from "./executed_notebook.ts";
import { runDeno } from "./project_command.ts";

const notebook = "notebooks/05_own_job.ipynb";
const file = "jobs/unusual_payments.ts";

/** Number of the rows in the file that the job wrote when it was tried. */
function holdShown(shown: ShownCells): number {
  assert.equal(shown.rows("lake").length, 3);
  const times = shown.rows("usual").map((row) => Number(row.times));
  assert.ok(times.length === 5 && times[0]! >= times[4]! && times[4]! > 1);
  assert.ok(shown.marks("nearest", "rect") >= 10);
  const asked = shown.rows("asked");
  assert.ok(asked.length > 0);
  for (const { times, similarity, before } of asked) {
    assert.ok(Number(times) >= 2 && Number(similarity) <= 0.9 && Number(before) >= 3);
  }
  assert.match(shown.text("wrong"), /--day "yesterday" cannot be used\. Write it as 2026-01-31/);
  const [command, ...result] = shown.text("tried").split("\n");
  assert.equal(command, "deno task unusual-payments --times 3 --results data/results/unusual_payments.csv");
  return JSON.parse(result.join("\n")).payments;
}

await notebookTest("05_own_job", async (shown, { folder }) => {
  const payments = holdShown(shown);
  const deno = async (...args: readonly string[]) => {
    const { ok, output, report } = await runDeno(folder, args);
    assert.ok(ok, `deno ${args.join(" ")}\n${output}${report}`);
    return output;
  };
  const promote = async () => JSON.parse(await deno("task", "promote", notebook, "--json")) as Promotion;
  const read = (path: string) => Deno.readTextFile(`${folder}/${path}`);

  const { changed, ...promoted } = await promote();
  assert.deepEqual(promoted, { ok: true, job: "unusual-payments", notebook, file });
  assert.deepEqual(changed, [file, "deno.json"]);
  await deno("check", file);
  await deno("fmt", "--check", file, "deno.json");
  await deno("lint", file);

  const results = "data/results/by_task.csv";
  const outcome = await deno("task", "unusual-payments", "--times", "3", "--results", results, "--json");
  assert.deepEqual(JSON.parse(outcome), { ok: true, payments, results });
  const rows = await read(results);
  assert.equal(rows.trimEnd().split("\n").length, payments + 1);
  assert.equal(rows, await read("data/results/unusual_payments.csv"));

  const { jobs } = JSON.parse(await deno("task", "jobs", "--json")) as JobListing;
  const { settings = [], lastRun } = jobs.find(({ name }) => name === "unusual-payments") ?? {};
  assert.deepEqual(settings.slice(0, 3).map(({ flag }) => flag), ["--day", "--times", "--results"]);
  assert.equal(lastRun?.outcome, "ok");

  const before = [await read(file), await read("deno.json")];
  assert.deepEqual((await promote()).changed, []);
  assert.deepEqual([await read(file), await read("deno.json")], before);
  // Those that speak of jobs: one of a user's own must not make them fail.
  const style = ["configuration", "readme_jobs", "advice", "text_rules"].map((name) => `tests/style/${name}_test.ts`);
  await deno("test", "--no-check", "--no-prompt", "-P=test", ...style, "tests/contract/jobs_test.ts");
});
