/** Changes at the source that no row event speaks of end in lake tables that are as the source is. */
import assert from "node:assert/strict";
import { withTemporaryFolder } from "../../lib/testing/temporary_folder.ts";
import { withPostgres } from "../../lib/testing/with_postgres.ts";
import { assertVerified, captureJob } from "./capture_job.ts";

const changes = [
  ["a widening that computes", "ALTER TABLE t ALTER n TYPE bigint USING n * 10", true],
  ["a renamed enum value", "ALTER TYPE mood RENAME VALUE 'glad' TO 'happy'", true],
  ["another field of a composite type", "ALTER TYPE pair ADD ATTRIBUTE b text", true],
  ["VACUUM FULL", "VACUUM FULL t", false],
] as const;

Deno.test("rows that changed without row events are copied again, while the job runs and while it does not", async (t) => {
  await withPostgres(async ({ client, url }) => {
    for (const [name, statement, copies] of changes) {
      for (const running of [true, false]) {
        await t.step(
          `${name}, while the job ${running ? "runs" : "does not run"}`,
          () =>
            withTemporaryFolder(async (lake) => {
              await client.query(
                `DROP TABLE IF EXISTS t; DROP TYPE IF EXISTS pair; DROP TYPE IF EXISTS mood;
               CREATE TYPE mood AS ENUM ('glad', 'sad'); CREATE TYPE pair AS (a int, m mood);
               CREATE TABLE t (id int PRIMARY KEY, n int, m mood, p pair);
               INSERT INTO t SELECT g, g, 'glad', ROW(g, 'sad')::pair FROM generate_series(1, 500) g`,
              );
              const job = { url, lake, tables: ["public.t"] };
              const change = async () => void await client.query(statement);
              assertVerified(await captureJob(running ? { ...job, work: change } : job), 1);
              if (!running) await change();
              const again = await captureJob({
                ...job,
                work: async () => void await client.query("UPDATE t SET n = 0"),
              });
              assertVerified(again, 1);
              if (!running) assert.equal(/is copied again/.test(again.notes), copies, again.notes);
              await captureJobEnd(client);
            }),
        );
      }
    }
  }, { settings: { wal_level: "logical" } });
});

Deno.test("columns of a table that changed while no row did are compared under the names of both sides", async () => {
  await withPostgres(async ({ client, url }) => {
    await withTemporaryFolder(async (lake) => {
      await client.query("CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 2), (3, 4)");
      const job = { url, lake, tables: ["public.t"] };
      assertVerified(await captureJob(job), 1);
      await client.query("ALTER TABLE t ADD COLUMN added int[]; ALTER TABLE t ADD COLUMN more real");
      assertVerified(await captureJob(job), 1);
      await client.query("ALTER TABLE t DROP COLUMN more");
      assertVerified(await captureJob(job), 1);
      await client.query("ALTER TABLE t RENAME COLUMN n TO m");
      assertVerified(await captureJob(job), 1);
      await client.query("UPDATE t SET m = 5 WHERE id = 1");
      assertVerified(await captureJob(job), 1);
    });
  }, { settings: { wal_level: "logical" } });
});

/** Each comes after rows that changed in the same run, with the columns not compared, and whether the job can start again. */
const lastChanges = [
  ["a renamed column", "ALTER TABLE t RENAME COLUMN n TO m", []],
  ["a renamed key", "ALTER TABLE t RENAME COLUMN id TO number", []],
  ["a key that takes another column's name", "ALTER TABLE t RENAME n TO m; ALTER TABLE t RENAME id TO n", []],
  ["a dropped column", "ALTER TABLE t DROP COLUMN n", ["n"]],
  ["an added column", "ALTER TABLE t ADD COLUMN m int", []],
  ["a widened type", "ALTER TABLE t ALTER price TYPE numeric(12,2)", []],
  ["a renamed column whose name another takes", "ALTER TABLE t RENAME n TO m; ALTER TABLE t ADD n text", []],
  [
    "two columns that exchange their names",
    "ALTER TABLE t RENAME n TO x; ALTER TABLE t RENAME l TO n; ALTER TABLE t RENAME x TO l",
    [],
  ],
  [
    "one dropped, one renamed, one added",
    "ALTER TABLE t DROP n; ALTER TABLE t RENAME l TO n; ALTER TABLE t ADD z int",
    ["n"],
  ],
  ["a dropped key", "ALTER TABLE t DROP COLUMN id", ["id"], false],
  ["a renamed table", "ALTER TABLE t RENAME TO u", [], false],
] as const;

Deno.test("a change of columns after the last row event leaves every table verified, as does the next row", async (t) => {
  await withPostgres(async ({ client, url }) => {
    for (const [name, statement, leftOut, next = true] of lastChanges) {
      await t.step(name, () =>
        withTemporaryFolder(async (lake) => {
          await client.query(
            `DROP TABLE IF EXISTS t, u; CREATE TABLE t (id int PRIMARY KEY, n int, l int, price numeric(10,2), gone int);
             ALTER TABLE t DROP COLUMN gone; INSERT INTO t SELECT g, g, -g, g / 4.0 FROM generate_series(1, 500) g`,
          );
          const job = { url, lake, tables: ["public.t"] };
          assertVerified(await captureJob(job), 1);
          const work = async () => {
            await client.query("UPDATE t SET n = n + 1, l = NULL WHERE id % 2 = 0");
            await client.query("ALTER TABLE t ADD COLUMN told int; UPDATE t SET told = n WHERE id < 100");
            await client.query(statement);
          };
          const outcome = await captureJob({ ...job, work });
          assertVerified(outcome, 1);
          const told = outcome.notes.match(/not compared: (.*) of public\.t/)?.[1] ?? "";
          assert.equal(told, leftOut.join(", "), outcome.notes);
          if (next) {
            assertVerified(await captureJob(job), 1);
            const last = await captureJob({
              ...job,
              work: async () => void await client.query("UPDATE t SET price = 1"),
            });
            assertVerified(last, 1);
            assert.doesNotMatch(last.notes, /not compared/);
          }
          await captureJobEnd(client);
        }));
    }
  }, { settings: { wal_level: "logical" } });
});

/** The next lake has another slot; the server has room for few. One that the server has not freed yet goes the next time. */
async function captureJobEnd(client: { query(sql: string): Promise<unknown> }): Promise<void> {
  await client.query("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active");
}
