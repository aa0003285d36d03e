/** A dataset whose table cannot be written: set aside, then detached, and whole again once it can be written. */
import assert from "node:assert/strict";
import type pg from "pg";
import { assertComplete, endOf, runJob, startJob } from "./real_job.ts";
import { untilCapturing, withScene } from "./scene.ts";
import { untilReleased } from "./released_log.ts";

/** Puts a file in the place of a folder until the body has ended. */
async function withoutFolder(folder: string, body: () => Promise<void>): Promise<void> {
  await Deno.rename(folder, `${folder}.aside`);
  await Deno.writeTextFile(folder, "");
  try {
    await body();
  } finally {
    await Deno.remove(folder);
    await Deno.rename(`${folder}.aside`, folder);
  }
}

for (
  const [name, folder, isDetached] of [
    ["data cannot be written is detached past the limit, the source's log is released", "/data", true],
    ["folder is unusable cannot even be detached: it keeps its position", "", false],
  ] as const
) {
  Deno.test(`a table whose ${name}, the others go on, and the next run makes it whole`, async () => {
    await withScene(async (scene) => {
      const { client, writer, lake } = scene;
      const limit = ["--max-retained-wal-bytes", "1MiB", "--batch-seconds", "0.2"];
      const plan = { ...scene, job: "pipeline", flags: ["--lake", lake, ...limit] } as const;
      assertComplete(await runJob(plan), 6);
      const job = startJob({ ...plan, flags: [...plan.flags, "--follow"] });
      await untilCapturing(client);
      await withoutFolder(`${lake}/iceberg/payments/transactions${folder}`, async () => {
        await writer.stream({ payments: 50 });
        await job.until(/payments\.transactions was set aside/);
        await writer.stream({ payments: 2000, churnShare: 0.1 });
        if (isDetached) await untilReleased(client);
        else await job.until(/was set aside[\s\S]+was set aside/);
        job.kill("SIGINT");
        const { code, outcome, log } = endOf(await job.ended);
        assert.equal(code, 1, log);
        assert.deepEqual(outcome.failures.map(({ dataset }) => dataset), ["payments.transactions"]);
        const recorded = new Map(outcome.tables.map(({ format, name, position }) => [`${format} ${name}`, position]));
        assert.notEqual(recorded.get("iceberg account_holders"), null);
        assert.equal(recorded.get("iceberg transactions"), null);
      });
      await writer.stream({ payments: 50, churnShare: 0.2 });
      assertComplete(await runJob(plan), 6);
      assert.ok(await heldBytes(client) < 2 ** 20);
    });
  });
}

/** Bytes of log that the server keeps for the slot. */
async function heldBytes(client: pg.Client): Promise<number> {
  const { rows } = await client.query(
    "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)::float8 AS bytes FROM pg_replication_slots",
  );
  return rows[0].bytes;
}
