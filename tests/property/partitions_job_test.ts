/** A partitioned table of PostgreSQL as users keep its last days in Paimon: captured, kept up and verified by the jobs themselves. */
import assert from "node:assert/strict";
import type { MaintenanceOutcome } from "../../jobs/wiring/maintenance_outcome.ts";
import type { VerificationOutcome } from "../../jobs/wiring/verification_outcome.ts";
import { Database } from "../../lib/engine/database.ts";
import { openLake } from "../../lib/query/lake.ts";
import { LocalStorage } from "../../lib/storage/local.ts";
import { paimonPartitionExpiryFailPoint } from "../../lib/table/paimon/fail_points.ts";
import { withTemporaryFolder } from "../../lib/testing/temporary_folder.ts";
import { type PostgresFixture, withPostgres } from "../../lib/testing/with_postgres.ts";
import { CrashChild } from "../crash/crash_child.ts";
import { JobProcess } from "../crash/job_process.ts";
import { assertVerified, captureJob, type CaptureJobOutcome } from "./capture_job.ts";

const tables = ["shop.visits"];
const flags = {
  slot: "visits",
  "partition-by": "shop.visits=day",
  "partition-keep-days": "30",
  "keep-hours": "0",
  "keep-snapshots": "1",
};

/** A row for each of so many days up to today, with a text that PostgreSQL does not send again where it stays as it is. */
const days = (count: number, note: string) =>
  `SELECT n, (now() AT TIME ZONE 'UTC')::date - n, '${note}', repeat(md5(n::text), 100)
    FROM generate_series(0, ${count - 1}) AS n`;

const made = `CREATE SCHEMA shop;
  CREATE TABLE shop.visits (id bigint, day date, note text, body text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
  CREATE TABLE shop.visits_all PARTITION OF shop.visits DEFAULT;
  ALTER TABLE shop.visits_all ALTER body SET STORAGE EXTERNAL;
  INSERT INTO shop.visits ${days(60, "first")}`;

/** The source, the lake, and the jobs between them. */
class Visits {
  readonly client: PostgresFixture["client"];
  readonly #url: string;
  readonly folder: string;
  readonly lake: string;

  constructor({ url, client }: PostgresFixture, folder: string) {
    this.#url = url;
    this.client = client;
    this.folder = folder;
    this.lake = `${folder}/lake`;
  }

  /** One run of the capture. `more` are its flags over the usual ones. */
  async capture(
    more: Readonly<Record<string, string>> = {},
    work?: () => Promise<void>,
  ): Promise<CaptureJobOutcome> {
    const { lake, ...given } = { lake: this.lake, ...flags, ...more };
    const job = { url: this.#url, lake, tables, flags: given };
    return await captureJob({ ...job, ...(work && { work }) });
  }

  /** A capture that goes on until it is killed at a point. */
  killedAt(point: string): CrashChild {
    const plan = { url: this.#url, lake: this.lake, formats: "iceberg,paimon", tables, flags, point, follow: true };
    return new CrashChild(plan, this.folder);
  }

  /** What another job said, which must end well. */
  async job(name: "maintain" | "verify", ...more: string[]) {
    const script = new URL(`../../jobs/${name}.ts`, import.meta.url);
    const args = ["--json", "--lake", this.lake, ...more];
    const environment = { POSTGRES_URL: this.#url };
    const { status, output, log } = await new JobProcess({ script, args, folder: this.folder, environment }).ended;
    assert.equal(status.code, 0, `${output} ${log}`);
    return { outcome: JSON.parse(output), log };
  }

  /** Rows of fifty days more. */
  async addRows(by: number): Promise<void> {
    const rows = days(50, "late");
    await this.client.query(
      `INSERT INTO shop.visits SELECT n + ${by}, day, note, body FROM (${rows}) AS late (n, day, note, body)`,
    );
  }

  /** How many days each table of the lake holds, by format. */
  async daysHeld(): Promise<Readonly<Record<string, number>>> {
    const database = await Database.open({ folders: [this.lake], temporaryFolder: `${this.folder}/engine` });
    const connection = await database.connect();
    try {
      const views = await openLake({ storage: new LocalStorage(this.lake), connection });
      const held = views.map(async ({ view, format }) =>
        [format, Number(await connection.value(`SELECT count(DISTINCT day) FROM ${view}`))] as const
      );
      return Object.fromEntries(await Promise.all(held));
    } finally {
      connection.close();
      database.close();
    }
  }
}

/** What is done with {@linkcode Visits}, one after another. */
const steps: Readonly<Record<string, (visits: Visits) => Promise<void>>> = {
  "what is only written to holds all that the source has": async (visits) => {
    const outcome = await visits.capture({ upkeep: "off" });
    assertVerified(outcome, 1);
    assert.match(outcome.notes, /compared of paimon shop\.visits: rows of partitions after 20/);
    assert.deepEqual(await visits.daysHeld(), { iceberg: 60, paimon: 60 });
  },

  "maintenance says which partitions leave, takes them, and verification leaves their rows out": async (visits) => {
    const planned = await visits.job("maintain", "--dry-run");
    assert.match(planned.log, /paimon shop\.visits: 30 partitions older than it keeps, \d+ files/);
    assert.deepEqual(await visits.daysHeld(), { iceberg: 60, paimon: 60 });
    const { outcome, log } = await visits.job("maintain", "--keep-hours", "0", "--keep-snapshots", "1");
    const maintained: MaintenanceOutcome = outcome;
    assert.deepEqual(maintained.tables.map(({ work }) => work!.expiredPartitions), [0, 30], log);
    assert.deepEqual(await visits.daysHeld(), { iceberg: 60, paimon: 30 });
    const { tables: found }: VerificationOutcome = (await visits.job("verify", "--slot", flags.slot)).outcome;
    assert.deepEqual(found.map(({ rows, comparedAfter }) => [rows, comparedAfter !== null]), [[60, false], [29, true]]);
  },

  "other days, and columns that no Paimon table is partitioned by, are told of": async (visits) => {
    const { notes } = await visits.capture({ "partition-keep-days": "60", upkeep: "off" });
    assert.match(notes, /the Paimon table shop\.visits keeps its partitions for 30 days/);
    const other = { lake: `${visits.folder}/other`, slot: "other", formats: "paimon", "partition-by": "visits=note" };
    assert.match((await visits.capture(other)).notes, /shop\.visits has no partitions: note must be some of its key/);
    await assert.rejects(() => visits.capture({ "partition-by": "" }), /--partition-by is missing/);
  },

  "what comes late leaves too, beside the capture, also where that is killed as it would": async (visits) => {
    const child = visits.killedAt(paimonPartitionExpiryFailPoint);
    await child.until(/streaming/);
    await visits.addRows(100);
    assert.equal((await child.killed()).get(paimonPartitionExpiryFailPoint), 1);
    assert.ok((await visits.daysHeld()).paimon! > 30);
    assertVerified(await visits.capture({}, () => visits.addRows(200)), 1);
    assert.deepEqual(await visits.daysHeld(), { iceberg: 60, paimon: 30 });
  },

  "a row whose partition has left loses nothing where it stays, and is no dead letter where it does not": async (
    visits,
  ) => {
    for (const formats of ["paimon,delta", "paimon"]) {
      const outcome = await visits.capture({ formats }, async () => {
        await visits.client.query(`UPDATE shop.visits SET note = '${formats}'`);
      });
      const wrong = outcome.verified.filter(({ missing, extra, different }) => missing + extra + different > 0);
      assert.deepEqual([wrong, outcome.deadLetters], [[], 0], outcome.notes);
    }
  },
};

Deno.test("partitions that have had their days leave Paimon alone, beside the capture and by maintenance, and verification knows it", (test) =>
  withPostgres((fixture) =>
    withTemporaryFolder(async (folder) => {
      await fixture.client.query(made);
      const visits = new Visits(fixture, folder);
      for (const [name, step] of Object.entries(steps)) await test.step(name, () => step(visits));
    }), { settings: { wal_level: "logical" } }));
