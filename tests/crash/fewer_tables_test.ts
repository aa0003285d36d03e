/** Runs that name fewer tables or formats than those before: what they leave out is named, and copied again when it comes back. */
import assert from "node:assert/strict";
import type pg from "pg";
import { startFailPoints } from "../../lib/source/postgres/start_capture.ts";
import { withTemporaryFolder } from "../../lib/testing/temporary_folder.ts";
import { withPostgres } from "../../lib/testing/with_postgres.ts";
import { assertExact, CrashChild } from "./crash_child.ts";
import { assertComplete, endOf, type RealJobEnd, runJob, startJob } from "./real_job.ts";
import { untilCapturing, withScene } from "./scene.ts";

interface Shop {
  readonly client: pg.Client;
  readonly url: string;
  readonly folder: string;
  /** Changes rows of both tables in every way. */
  change(): Promise<void>;
  capture(tables: string): Promise<RealJobEnd>;
  /** Captures changes until the slot has moved past them. */
  follow(tables: string, ...flags: readonly string[]): Promise<void>;
}

async function withShop(body: (shop: Shop) => Promise<void>): Promise<void> {
  await withTemporaryFolder((folder) =>
    withPostgres(async ({ url, client }) => {
      await client.query(
        `CREATE SCHEMA sales; CREATE TABLE sales.items (id serial PRIMARY KEY, note text);
         CREATE TABLE sales.orders (id serial PRIMARY KEY, note text)`,
      );
      const change = async () => {
        for (const table of ["sales.items", "sales.orders"]) {
          await client.query(
            `INSERT INTO ${table} (note) SELECT 'n' || i FROM generate_series(1, 20) i;
             UPDATE ${table} SET note = note || '+' WHERE id % 3 = 0; DELETE FROM ${table} WHERE id % 7 = 0`,
          );
        }
      };
      await change();
      const plan = (tables: string) =>
        ({ job: "capture", url, folder, flags: ["--lake", `${folder}/lake`, "--tables", tables] }) as const;
      const follow: Shop["follow"] = async (tables, ...more) => {
        const flags = [...plan(tables).flags, "--batch-seconds", "0.1", "--follow", ...more];
        const follower = startJob({ ...plan(tables), flags });
        await untilCapturing(client);
        await change();
        await untilSlotPassed(client);
        follower.kill("SIGINT");
        assert.equal(endOf(await follower.ended).code, 0);
      };
      await body({ client, url, folder, change, capture: (tables) => runJob(plan(tables)), follow });
    }, { settings: { wal_level: "logical" } })
  );
}

/** Waits until the server has heard that everything until now is in the lake. */
async function untilSlotPassed(client: pg.Client): Promise<void> {
  const { rows: [{ lsn }] } = await client.query("SELECT pg_current_wal_lsn() AS lsn");
  for (const startMs = performance.now();;) {
    const { rows } = await client.query("SELECT FROM pg_replication_slots WHERE confirmed_flush_lsn >= $1", [lsn]);
    if (rows.length > 0) return;
    assert.ok(performance.now() - startMs < 60_000, "the slot stands still");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

Deno.test("a table that runs leave out is named, and copied again by itself when it is named again", async () => {
  await withShop(async ({ change, capture, follow }) => {
    assertComplete(await capture("sales.*"), 4);
    await change();
    const fewer = await capture("sales.items");
    assertComplete(fewer, 2);
    assert.match(fewer.log, /no longer captured: sales\.orders .*copied again when they are named again/);
    await change();
    const same = await capture("sales.items");
    assertComplete(same, 2);
    assert.doesNotMatch(same.log, /no longer captured|copied again/);
    await follow("sales.items");
    await change();
    const all = await capture("sales.*");
    assertComplete(all, 4);
    assert.match(all.log, /sales\.orders is copied again: .*a run left it out/);
    assert.doesNotMatch(all.log, /sales\.items is copied again|no longer captured/);
    await change();
    const others = await capture("sales.orders");
    assertComplete(others, 2);
    assert.match(others.log, /no longer captured: sales\.items/);
    await change();
    const swapped = await capture("sales.items");
    assertComplete(swapped, 2);
    assert.match(swapped.log, /sales\.items is copied again: .*a run left it out/);
    assertComplete(await capture("sales.*"), 4);
  });
});

Deno.test("a table that was dropped at the source while no job ran is named once", async () => {
  await withShop(async ({ client, change, capture }) => {
    assertComplete(await capture("sales.*"), 4);
    await change();
    await client.query("DROP TABLE sales.orders");
    const after = await capture("sales.*");
    assertComplete(after, 2);
    assert.match(after.log, /dropped at the source: sales\.orders; their lake tables stay/);
    assert.doesNotMatch(after.log, /no longer captured/);
    assert.doesNotMatch((await capture("sales.*")).log, /dropped at the source/);
  });
});

Deno.test("a format that a run leaves out is filled again by itself when it is named again", async () => {
  await withShop(async ({ change, capture, follow }) => {
    assertComplete(await capture("sales.*"), 4);
    await follow("sales.*", "--formats", "iceberg");
    await change();
    const both = await capture("sales.*");
    assertComplete(both, 4);
    for (const table of ["items", "orders"]) {
      assert.equal(both.log.split(`sales.${table} is copied again: a run that left it out`).length, 2, both.log);
    }
  });
});

Deno.test("killed while a table comes back, the next run still finds what it missed", async (test) => {
  await withShop(async ({ url, folder, change }) => {
    for (const point of [...startFailPoints, "copy.beforePart"]) {
      await test.step(point, async () => {
        const plan = { url, lake: `${folder}/${point}` };
        const run = (tables: string) => new CrashChild({ ...plan, tables: [tables] }, folder).report();
        assertExact(await run("sales.*"), 4);
        await change();
        assertExact(await run("sales.items"), 2);
        await change();
        const hits = await new CrashChild({ ...plan, tables: ["sales.*"], point, atOnce: true }, folder).killed();
        assert.equal(hits.get(point), 1);
        await change();
        assertExact(await run("sales.*"), 4);
      });
    }
  });
});

Deno.test("killed while a table leaves, the next run copies it again where changes may have been missed", async (test) => {
  await withShop(async ({ url, folder, change }) => {
    for (const point of [...startFailPoints, "pipeline.beforeAcknowledge"]) {
      await test.step(point, async () => {
        const plan = { url, lake: `${folder}/${point}` };
        const run = (tables: string) => new CrashChild({ ...plan, tables: [tables] }, folder).report();
        assertExact(await run("sales.*"), 4);
        await change();
        await new CrashChild({ ...plan, tables: ["sales.items"], point, atOnce: true }, folder).killed();
        await change();
        assertExact(await run("sales.*"), 4);
      });
    }
  });
});

Deno.test("a run that asks for the same as the one before copies nothing again", async () => {
  await withScene(async (scene) => {
    const plan = { ...scene, job: "pipeline", flags: ["--lake", scene.lake] } as const;
    assertComplete(await runJob(plan), 6);
    await scene.writer.stream({ payments: 100, churnShare: 0.2 });
    const again = await runJob(plan);
    assertComplete(again, 6);
    assert.doesNotMatch(again.log, /copied again|copying/);
  });
});

Deno.test("a table dropped while a job follows is set aside, and the others go on", () =>
  withShop(async ({ client, url, folder, capture }) => {
    const flags = ["--lake", `${folder}/lake`, "--tables", "sales.*", "--batch-seconds", "0.2"];
    const job = startJob({ job: "capture", url, folder, flags: [...flags, "--follow"] });
    await untilCapturing(client);
    await client.query("DROP TABLE sales.orders");
    await job.until(/sales\.orders was set aside: Table sales\.orders was dropped/);
    await client.query("INSERT INTO sales.items (note) SELECT 'late' FROM generate_series(1, 10)");
    job.kill("SIGINT");
    const { code, outcome, log } = endOf(await job.ended);
    assert.deepEqual([code, outcome.failures.map(({ dataset }) => dataset)], [1, ["sales.orders"]], log);
    assertComplete(await capture("sales.*"), 2);
  }));
