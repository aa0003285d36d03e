/** A source that is not what it was: refused as long as it takes, and `--resync` makes every table right again. */
import assert from "node:assert/strict";
import { PaymentsWriter } from "../../lib/generate/payments_writer.ts";
import { withPostgres } from "../../lib/testing/with_postgres.ts";
import { assertComplete, assertRefused, type RealJobPlan, runJob } from "./real_job.ts";
import { type Scene, withScene } from "./scene.ts";

type Plan = RealJobPlan & { readonly url: string };

function planOf({ url, folder, lake }: Scene): Plan {
  return { job: "pipeline", url, folder, flags: ["--lake", lake] };
}

/** Refused twice, whatever the first attempt did; started over; and then it goes on by itself. */
async function refusesUntilResync(plan: Plan, expected: Parameters<typeof assertRefused>[1]): Promise<void> {
  for (let attempt = 0; attempt < 2; attempt++) assertRefused(await runJob(plan), expected);
  assertComplete(await runJob({ ...plan, flags: [...plan.flags, "--resync"] }), 6);
  assertComplete(await runJob(plan), 6);
}

const slotName = "(SELECT slot_name FROM pg_replication_slots)";

/** What somebody does to the slot, and what is said then. */
const harm = {
  "moved on": { sql: [`SELECT pg_replication_slot_advance(${slotName}, pg_current_wal_lsn())`], says: /ahead of/ },
  "dropped": { sql: [`SELECT pg_drop_replication_slot(${slotName})`], says: /is gone/ },
  "made again": {
    sql: [
      `CREATE TEMPORARY TABLE slot AS ${slotName}`,
      "SELECT pg_drop_replication_slot(slot_name) FROM slot",
      "SELECT pg_create_logical_replication_slot(slot_name, 'pgoutput') FROM slot",
    ],
    says: /made again/,
  },
  "invalidated by the server": {
    sql: [
      "ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'",
      "SELECT pg_reload_conf()",
      ...Array.from({ length: 4 }, (_, index) => [`CREATE TABLE filler_${index} ()`, "SELECT pg_switch_wal()"]).flat(),
      "CHECKPOINT",
      "ALTER SYSTEM RESET max_slot_wal_keep_size",
      "SELECT pg_reload_conf()",
    ],
    says: /invalidated/,
  },
} as const;

Deno.test("a slot that is not what it was is refused, and --resync starts over", async (test) => {
  await withScene(async (scene) => {
    const plan = planOf(scene);
    assertComplete(await runJob(plan), 6);
    for (const [what, { sql, says }] of Object.entries(harm)) {
      await test.step(what, async () => {
        await scene.writer.stream({ payments: 50, churnShare: 0.2 });
        for (const statement of sql) await scene.client.query(statement);
        await refusesUntilResync(plan, { kind: "sourceLost", says });
      });
    }
  });
});

Deno.test("another server is refused, and --resync fills the lake from that one", async () => {
  await withScene(async (scene) => {
    const plan = planOf(scene);
    assertComplete(await runJob(plan), 6);
    await withPostgres(async ({ url }) => {
      await using writer = await PaymentsWriter.open({ url, seed: 7 });
      await writer.load({ holders: 30, payments: 60 });
      await refusesUntilResync({ ...plan, url }, { kind: "sourceMismatch", says: /was read from .*--resync/ });
    }, { hasOwnIdentity: true });
    assertRefused(await runJob(plan), { kind: "sourceMismatch", says: /was read from/ });
  });
});

Deno.test("a server restored from a backup is refused, and --resync starts over", async () => {
  await withScene(async (scene) => {
    const { client, writer } = scene;
    const plan = planOf(scene);
    assertComplete(await runJob(plan), 6);
    const { rows: [{ data_directory: data }] } = await client.query("SHOW data_directory");
    await writer.close();
    await scene.killServer();
    await copyFolder(data, `${data}.backup`);
    await scene.restartServer();
    {
      await using later = await PaymentsWriter.open({ url: scene.url });
      await later.stream({ payments: 200, churnShare: 0.2 });
    }
    assertComplete(await runJob(plan), 6);
    await scene.killServer();
    await Deno.remove(data, { recursive: true });
    await Deno.rename(`${data}.backup`, data);
    await scene.restartServer();
    await refusesUntilResync(plan, { kind: "sourceMismatch", says: /restored from a backup.*--resync/ });
  });
});

/** With owners and rights. */
async function copyFolder(from: string, to: string): Promise<void> {
  const { success, stderr } = await new Deno.Command("cp", { args: ["-a", from, to] }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
}
