/** Every way in which a job with a server of its own can end: nothing of it stays behind, and the next run goes on. */
import assert from "node:assert/strict";
import { copyPristineCluster } from "../../lib/testing/pristine_cluster.ts";
import { withTemporaryFolder } from "../../lib/testing/temporary_folder.ts";
import type { JobProcess } from "./job_process.ts";
import { assertComplete, assertRefused, endOf, runJob, startJob } from "./real_job.ts";

const flags = ["--holders", "50", "--payments", "200"];

interface Place {
  readonly folder: string;
  /** Starts a job that follows, and waits until rows flow. */
  follow(): Promise<JobProcess>;
}

/** A folder whose embedded server the test may watch; afterwards a job finds everything in order, and nothing runs. */
async function withPlace(body: (place: Place) => Promise<void>): Promise<void> {
  await withTemporaryFolder(async (folder) => {
    // The embedded server runs as another user where the tests run as root.
    await Deno.chmod(folder, 0o755);
    const cluster = `${folder}/data/state/postgres`;
    await Deno.mkdir(cluster, { recursive: true });
    await copyPristineCluster(cluster);
    const follow = async () => {
      const job = startJob({ job: "pipeline", folder, flags: [...flags, "--follow", "--batch-seconds", "0.2"] });
      await job.until(/capturing {2}/);
      return job;
    };
    await body({ folder, follow });
    assertComplete(await runJob({ job: "pipeline", folder, flags }), 6);
    await untilNothingRuns(folder);
  });
}

/** Command lines of the processes that have to do with a folder. */
async function processesOf(folder: string): Promise<readonly string[]> {
  const { stdout } = await new Deno.Command("ps", { args: ["-axww", "-o", "pid=,args="] }).output();
  return new TextDecoder().decode(stdout).split("\n").filter((line) => line.includes(folder));
}

/** A server that was told to stop ends by itself, soon. */
async function untilNothingRuns(folder: string): Promise<void> {
  for (const startMs = performance.now(); performance.now() - startMs < 20_000;) {
    if ((await processesOf(folder)).length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.deepEqual(await processesOf(folder), []);
}

Deno.test("Ctrl-C and SIGTERM end a job after the running commit, with success and without leftovers", async () => {
  await withPlace(async ({ folder, follow }) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      const job = await follow();
      assert.ok((await processesOf(folder)).length > 0, "the server of the job is seen");
      job.kill(signal);
      const { code, outcome, log } = endOf(await job.ended);
      assert.equal(code, 0, log);
      assert.equal(outcome.ok, true);
      assert.deepEqual(await processesOf(folder), []);
    }
  });
});

Deno.test("Ctrl-C before or in the verification ends a job that was to end by itself", async () => {
  await withPlace(async ({ folder }) => {
    for (const activity of [/capturing {2}/, /verifying /]) {
      const job = startJob({ job: "pipeline", folder, flags: ["--holders", "50", "--payments", "1500"] });
      await job.until(activity);
      job.kill("SIGINT");
      const { code, outcome, log } = endOf(await job.ended);
      assert.equal(code, 0, log);
      assert.ok(outcome.verification.length < 6, log);
      assert.deepEqual(await processesOf(folder), []);
    }
  });
});

Deno.test("a second Ctrl-C ends a job at once, its server too, and nothing is lost", async () => {
  await withPlace(async ({ folder, follow }) => {
    const job = await follow();
    // Two of the same kind could be taken for one.
    job.kill("SIGTERM");
    job.kill("SIGINT");
    const { status, output } = await job.ended;
    assert.ok(status.code === 130 || status.code === 143, `${status.code}`);
    assert.equal(output, "");
    await untilNothingRuns(folder);
  });
});

Deno.test("a job whose output nobody reads any more (| head) ends by itself, its server too", async () => {
  await withPlace(async ({ folder }) => {
    const job = startJob({ job: "pipeline", folder, flags: [...flags, "--follow"], unread: true });
    const { status } = await job.ended;
    assert.equal(status.code, 141);
    assert.deepEqual(await processesOf(folder), []);
  });
});

Deno.test("a job that fails leaves no server behind", async () => {
  await withPlace(async ({ folder }) => {
    await Deno.writeTextFile(`${folder}/file`, "");
    const refused = await runJob({ job: "pipeline", folder, flags: [...flags, "--lake", `${folder}/file`] });
    assertRefused(refused, { kind: "storage", says: /\/file/ });
    assert.deepEqual(await processesOf(folder), []);
  });
});

Deno.test("after SIGKILL the server stops too, and neither it nor a lock is in the way of a next run, also at once", async () => {
  await withPlace(async ({ folder, follow }) => {
    for (const atOnce of [false, true]) {
      const job = await follow();
      job.kill("SIGKILL");
      const { status } = await job.ended;
      assert.equal(status.signal, "SIGKILL");
      assert.ok((await Deno.stat(`${folder}/data/lake/writer.lock`)).isFile);
      if (!atOnce) await untilNothingRuns(folder);
    }
  });
});
