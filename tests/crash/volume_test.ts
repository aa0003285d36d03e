/** Much at once, little for long, and a steady rate: memory stays bounded, the source's log is let go, and the pace holds. */
import assert from "node:assert/strict";
import type pg from "pg";
import { withTemporaryFolder } from "../../lib/testing/temporary_folder.ts";
import { withPostgres } from "../../lib/testing/with_postgres.ts";
import { assertComplete, endOf, type RealJobEnd, type RealJobPlan, runJob, startJob } from "./real_job.ts";
import { untilReleased } from "./released_log.ts";
import { untilCapturing } from "./scene.ts";

interface Server {
  readonly url: string;
  readonly client: pg.Client;
  readonly folder: string;
}

async function withServer(body: (server: Server) => Promise<void>): Promise<void> {
  await withTemporaryFolder((folder) => withPostgres(({ url, client }) => body({ url, client, folder })));
}

const commitRows = 300_000;
const noteBytes = 160;
/** Design §4: however many rows. */
const mostMemoryBytes = 1.5e9;

Deno.test(`a source commit of ${commitRows} rows is spilled to disk, goes through in bounded memory and is exact`, async (test) => {
  await withServer(async ({ url, client, folder }) => {
    await client.query(
      "CREATE TABLE events (id bigint PRIMARY KEY, kind text, amount numeric(12,2), at timestamptz, note text)",
    );
    await client.query("INSERT INTO events VALUES (0, 'first', 0, now(), NULL)");
    const flags = ["--lake", `${folder}/lake`, "--tables", "public.events"];
    const plan = { job: "capture", url, folder, flags } as const;
    assertComplete(await runJob(plan), 2);
    await client.query(
      `INSERT INTO events
       SELECT n, 'kind ' || n % 7, n / 100.0, now() + n * interval '1 ms', repeat(md5(n::text), ${noteBytes / 32})
       FROM generate_series(1, ${commitRows}) AS n`,
    );
    const { end, memoryBytes, diskBytes } = await runWatched(plan);
    assertComplete(end, 2);
    for (const { rows } of end.outcome.tables) assert.equal(Number(rows), commitRows + 1);
    const [memory, disk] = [memoryBytes, diskBytes].map((bytes) => Math.round(bytes / 1e6));
    await test.step(`${memory} MB of memory and ${disk} MB of run-time state at most`, () => {
      assert.ok(memoryBytes > 0 && memoryBytes < mostMemoryBytes);
      assert.ok(diskBytes > commitRows * noteBytes, "the commit was not on disk");
    });
  });
});

/** Runs a job and watches its resident size (the largest that the system reports may be that of who started it) and its state. */
async function runWatched(
  plan: RealJobPlan,
): Promise<{ readonly end: RealJobEnd; readonly memoryBytes: number; readonly diskBytes: number }> {
  const job = startJob(plan);
  let [memoryBytes, diskBytes, isRunning] = [0, 0, true];
  const ended = job.ended.finally(() => isRunning = false);
  while (isRunning) {
    memoryBytes = Math.max(memoryBytes, 1024 * await firstNumber("ps", ["-o", "rss=", "-p", `${job.pid}`]));
    diskBytes = Math.max(diskBytes, 1024 * await firstNumber("du", ["-sk", `${plan.folder}/data/state`]));
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return { end: endOf(await ended), memoryBytes, diskBytes };
}

/** What a program prints first; 0 where it finds nothing. */
async function firstNumber(program: string, args: string[]): Promise<number> {
  const { stdout } = await new Deno.Command(program, { args, stderr: "null" }).output();
  return Number(/^\s*(\d+)/.exec(new TextDecoder().decode(stdout))?.[1] ?? 0);
}

Deno.test("an idle table beside a busy one, and an idle publication beside a busy server, hold no log back", async () => {
  await withServer(async ({ url, client, folder }) => {
    for (const table of ["idle", "busy", "elsewhere"]) {
      await client.query(`CREATE TABLE ${table} (id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, note text)`);
      await client.query(`INSERT INTO ${table} (note) VALUES ('first')`);
    }
    const flags = ["--lake", `${folder}/lake`, "--tables", "public.idle,public.busy"];
    const plan = { job: "capture", url, folder, flags } as const;
    const job = startJob({ ...plan, flags: [...flags, "--follow", "--batch-seconds", "0.2"] });
    await untilCapturing(client);
    for (const table of ["busy", "elsewhere"]) {
      const writing = setInterval(() => {
        void client.query(`INSERT INTO ${table} (note) SELECT repeat('x', 100) FROM generate_series(1, 100)`);
      }, 100);
      await untilReleased(client);
      clearInterval(writing);
    }
    job.kill("SIGINT");
    assert.equal(endOf(await job.ended).code, 0);
    assertComplete(await runJob(plan), 4);
  });
});

const rate = 1000;
const paceMs = 12_000;
const [holders, payments] = [200, 1000];

Deno.test(`--rate ${rate} of a job that follows holds within 5 % over ${paceMs / 1000} s`, async (test) => {
  await withServer(async ({ url, client, folder }) => {
    const generation = ["--generate", "--holders", `${holders}`, "--payments", `${payments}`, "--rate", `${rate}`];
    const flags = ["--lake", `${folder}/lake`, ...generation, "--follow"];
    const job = startJob({ job: "pipeline", url, folder, flags });
    await untilCapturing(client);
    await new Promise((resolve) => setTimeout(resolve, paceMs + 1000));
    job.kill("SIGINT");
    const { code, log } = endOf(await job.ended);
    assert.equal(code, 0, log);
    // Half of the payments, two rows each, stood there before the pace began.
    const loaded = holders + payments;
    const { rows: [streamed] } = await client.query(
      `SELECT extract(epoch FROM max(eventtime) - min(eventtime))::float8 AS seconds,
         (SELECT sum(n_tup_ins + n_tup_upd + n_tup_del)::float8 FROM pg_stat_user_tables) - ${loaded} AS changes
       FROM transactions WHERE _id > ${payments}`,
    );
    assert.ok(streamed.seconds >= paceMs / 1000);
    const found = streamed.changes / streamed.seconds;
    await test.step(`${found.toFixed(1)} rows/s over ${streamed.seconds.toFixed(1)} s`, () => {
      assert.ok(Math.abs(found / rate - 1) <= 0.05);
    });
  });
});
