/** `deno task jobs`: what it tells of every job, read from the declarations and from what earlier runs left. */
import assert from "node:assert/strict";
import { everyJob } from "../../jobs/jobs.ts";
import {
  type JobListing,
  jobListing,
  jobsText,
  jobText,
  type ListedJob,
  takenSettings,
} from "../../jobs/wiring/job_listing.ts";
import { ownJobs } from "../../jobs/wiring/own_jobs.ts";
import { readTasks } from "../../jobs/wiring/tasks.ts";
import { completionScript, shells } from "../../lib/cli/completion/script.ts";
import { textWidth } from "../../lib/cli/table.ts";
import { withTemporaryFolder } from "../../lib/testing/temporary_folder.ts";
import { JobProcess } from "../crash/job_process.ts";

const root = new URL("../../", import.meta.url).pathname;

async function jobs(...flags: readonly string[]): Promise<{ readonly code: number; readonly said: string }> {
  const args = ["run", "-q", "--no-prompt", "-P=jobs", "jobs/jobs.ts", ...flags];
  const environment = { NO_COLOR: "1", AWS_SECRET_ACCESS_KEY: "wh1spered" };
  const { code, stdout } = await new Deno.Command(Deno.execPath(), { args, cwd: root, env: environment }).output();
  return { code, said: new TextDecoder().decode(stdout) };
}

Deno.test("every job is listed with a sentence, and with --json with every setting", async () => {
  const { code, said } = await jobs();
  assert.equal(code, 0);
  const listing = JSON.parse((await jobs("--json")).said) as JobListing;
  assert.ok(listing.ok && listing.jobs.length >= 10);
  for (const { name, summary, settings } of listing.jobs) {
    assert.ok(said.includes(name) && said.includes(summary), name);
    assert.ok(
      settings.length >= 3 && settings.every(({ environment, help }) => environment !== "" && help !== ""),
      name,
    );
  }
  const pipeline = listing.jobs.find(({ name }) => name === "pipeline");
  const settingOf = (flag: string) => pipeline?.settings.find((setting) => setting.flag === flag);
  assert.deepEqual(settingOf("--formats"), {
    flag: "--formats",
    environment: "WEIR_FORMATS",
    help: "Table formats to write",
    value: "iceberg,paimon,delta",
    choices: ["iceberg", "paimon", "delta"],
    default: "iceberg,paimon",
    secret: false,
  });
  const secret = pipeline?.settings.find(({ environment }) => environment === "AWS_SECRET_ACCESS_KEY");
  assert.equal(secret?.secret, true);
  assert.doesNotMatch(JSON.stringify(listing) + said, /wh1spered/);
});

Deno.test("in a terminal of 80 columns every sentence of a job stands whole below its name", () => {
  const listing = jobListing(everyJob());
  const text = jobsText(listing, 80);
  const words = text.replace(/\s+/g, " ");
  for (const { summary } of listing.jobs) assert.ok(words.includes(summary), summary);
  const tables = listing.jobs.map((each) => jobText(each, 80).replace(/^.*\n.*\n/, ""));
  for (const line of [text, ...tables].join("\n").split("\n")) assert.ok(textWidth(line) <= 80, line);
});

Deno.test("--job shows the settings of the jobs it names", async () => {
  const { said } = await jobs("--job", "verify,similar");
  assert.deepEqual([...said.matchAll(/^deno task ([^:]*):/gm)].map(([, name]) => name), ["verify", "similar"]);
  assert.match(said, /^--sample +WEIR_SAMPLE +1 +Share of the keys/m);
  assert.match(said, /^ +AWS_SECRET_ACCESS_KEY +Secret of that key/m);
});

Deno.test("what became of a run is listed from then on", () =>
  withTemporaryFolder(async (folder) => {
    const run = async (name: string, ...args: readonly string[]) => {
      const script = new URL(`../../jobs/${name}.ts`, import.meta.url);
      return (await new JobProcess({ script, args: ["--json", ...args], folder }).ended).output;
    };
    await Promise.all([run("maintain", "--lake", "nowhere"), run("serve_embeddings", "--host", "192.0.2.1")]);
    const { jobs } = JSON.parse(await run("jobs")) as JobListing;
    const last = (name: string): Partial<NonNullable<ListedJob["lastRun"]>> =>
      jobs.find((job) => job.name === name)?.lastRun ?? {};
    for (const name of ["maintain", "serve:embeddings"]) {
      const { outcome, error, seconds } = last(name);
      assert.deepEqual({ outcome, error }, { outcome: "failed", error: "configuration" }, name);
      assert.ok(seconds !== undefined && seconds < 60);
    }
    assert.deepEqual(last("pipeline"), {});
  }));

Deno.test("completion of all jobs and tasks is a script that its shell can read", async () => {
  const known = [...everyJob(), ...await ownJobs(everyJob())];
  const completable = {
    jobs: known.map((job) => ({ ...job, settings: takenSettings(job) })),
    tasks: readTasks(),
  };
  assert.equal((await jobs("--completion", "bash")).said, `${completionScript("bash", completable)}\n`);
  for (const shell of shells) {
    const script = completionScript(shell, completable);
    for (const task of [/serve\\?:embeddings/, /test\\?:crash/]) assert.match(script, task, shell);
    await withTemporaryFile(script, async (path) => {
      const check = new Deno.Command(shell, { args: ["-n", path] });
      const checked = await check.output().catch((thrown) => assert.ok(thrown instanceof Deno.errors.NotFound));
      assert.ok(checked?.success ?? true, `${shell}: ${new TextDecoder().decode(checked?.stderr)}`);
    });
  }
});

async function withTemporaryFile(text: string, body: (path: string) => Promise<void>): Promise<void> {
  await withTemporaryFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/file`, text);
    await body(`${folder}/file`);
  });
}
