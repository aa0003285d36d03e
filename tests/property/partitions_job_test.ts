/** A partitioned table of PostgreSQL as users keep its last days in Paimon: captured, kept up and verified by the jobs themselves. */
import assert from "node:assert/strict";
import type { MaintenanceOutcome } from "../../jobs/wiring/maintenance_outcome.ts";
import type { VerificationOutcome } from "../../jobs/wiring/verification_outcome.ts";
import { Database } from "../../lib/engine/database.ts";
import { openLake } from "../../lib/query/lake.ts";
import { LocalStorage } from "../../lib/storage/local.ts";
import { paimonPartitionExpiryFailPoint } from "../../lib/table/paimon/fail_points.ts";
import { withTemporaryFolder } from "../../lib/testing/temporary.ts";
import { withPostgres } from "../../lib/testing/with_postgres.ts";
import { CrashChild } from "../crash/crash_child.ts";
import { JobProcess } from "../crash/job_process.ts";
import { assertVerified, captureJob } from "./capture_job.ts";

const flags = {
  slot: "visits",
  "partition-by": "shop.visits=day",
  "partition-keep-days": "30",
  "keep-hours": "0",
  "keep-snapshots": "1",
};

/** A row for each of so many days up to today. */
const days = (count: number, note: string) =>
  `SELECT n, (now() AT TIME ZONE 'UTC')::date - n, '${note}' FROM generate_series(0, ${count - 1}) AS n`;

const made = `CREATE SCHEMA shop;
  CREATE TABLE shop.visits (id bigint, day date, note text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
  CREATE TABLE shop.visits_all PARTITION OF shop.visits DEFAULT;
  INSERT INTO shop.visits ${days(60, "first")}`;

/** Days that each table of the lake holds, by format. */
async function daysHeld(lake: string, folder: string): Promise<Readonly<Record<string, number>>> {
  const database = await Database.open({ folders: [lake], temporaryFolder: `${folder}/engine` });
  const connection = await database.connect();
  try {
    const views = await openLake({ storage: new LocalStorage(lake), connection });
    const held = views.map(async ({ view, format }) =>
      [format, Number(await connection.value(`SELECT count(DISTINCT day) FROM ${view}`))] as const
    );
    return Object.fromEntries(await Promise.all(held));
  } finally {
    connection.close();
    database.close();
  }
}

Deno.test("partitions that have had their days leave Paimon alone, beside the capture and by maintenance, and verification knows it", async (test) => {
  await withPostgres(({ url, client }) =>
    withTemporaryFolder(async (folder) => {
      const lake = `${folder}/lake`;
      const job = async (name: "maintain" | "verify", ...more: string[]) => {
        const script = new URL(`../../jobs/${name}.ts`, import.meta.url);
        const args = ["--json", "--lake", lake, ...more];
        const environment = { POSTGRES_URL: url };
        const { status, output, log } = await new JobProcess({ script, args, folder, environment }).ended;
        assert.equal(status.code, 0, `${output} ${log}`);
        return { outcome: JSON.parse(output), log };
      };
      const capture = { url, lake, tables: ["shop.visits"] };
      await client.query(made);

      await test.step("what is only written to holds all that the source has", async () => {
        const outcome = await captureJob({ ...capture, flags: { ...flags, upkeep: "off" } });
        assertVerified(outcome, 1);
        assert.match(outcome.notes, /compared of paimon shop\.visits: rows of partitions after 20/);
        assert.deepEqual(await daysHeld(lake, folder), { iceberg: 60, paimon: 60 });
      });

      await test.step("maintenance says which partitions leave, takes them, and verification leaves their rows out", async () => {
        const planned = await job("maintain", "--dry-run");
        assert.match(planned.log, /paimon shop\.visits: (29|30) partitions older than it keeps, \d+ files/);
        assert.deepEqual(await daysHeld(lake, folder), { iceberg: 60, paimon: 60 });
        const { outcome, log } = await job("maintain", "--keep-hours", "0", "--keep-snapshots", "1");
        const { tables }: MaintenanceOutcome = outcome;
        assert.deepEqual(tables.map(({ work }) => work!.expiredPartitions > 0), [false, true], log);
        assert.deepEqual(await daysHeld(lake, folder), { iceberg: 60, paimon: 30 });
        const { tables: found }: VerificationOutcome = (await job("verify", "--slot", flags.slot)).outcome;
        assert.deepEqual(found.map(({ rows, comparedAfter }) => [rows, comparedAfter !== null]), [[60, false], [
          29,
          true,
        ]]);
      });

      await test.step("other days, and columns that no Paimon table is parted by, are told of", async () => {
        const { notes } = await captureJob({
          ...capture,
          flags: { ...flags, "partition-keep-days": "60", upkeep: "off" },
        });
        assert.match(notes, /the Paimon table shop\.visits keeps its partitions for 30 days/);
        const by = { ...flags, "partition-by": "visits=note", formats: "paimon" };
        const other = await captureJob({ ...capture, lake: `${folder}/other`, flags: { ...by, slot: "other" } });
        assert.match(other.notes, /the Paimon table shop\.visits has no partitions: note must be some of its key/);
        const alone = { "partition-keep-days": "30" };
        await assert.rejects(() => captureJob({ ...capture, flags: alone }), /--partition-by is missing/);
      });

      const late = (by: number) =>
        client.query(
          `INSERT INTO shop.visits SELECT n + ${by}, day, note FROM (${days(50, "late")}) AS late (n, day, note)`,
        );

      await test.step("what comes late leaves too, beside the capture, also where that is killed as it would", async () => {
        const plan = { url, lake, formats: "iceberg,paimon", tables: capture.tables, flags, follow: true };
        const child = new CrashChild({ ...plan, point: paimonPartitionExpiryFailPoint }, folder);
        await child.until(/streaming/);
        await late(100);
        assert.equal((await child.killed()).get(paimonPartitionExpiryFailPoint), 1);
        assert.ok((await daysHeld(lake, folder)).paimon! > 30);
        const work = async () => {
          await late(200);
          await client.query("UPDATE shop.visits SET note = 'changed' WHERE id % 7 = 0");
        };
        assertVerified(await captureJob({ ...capture, flags, work }), 1);
        assert.deepEqual(await daysHeld(lake, folder), { iceberg: 60, paimon: 30 });
      });
    }), { settings: { wal_level: "logical" } });
});
