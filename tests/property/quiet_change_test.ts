/** Changes at the source that no row event speaks of end in lake tables that are as the source is. */
import assert from "node:assert/strict";
import { withTemporaryFolder } from "../../lib/testing/temporary.ts";
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

/** The next lake has another slot; the server has room for few. */
async function captureJobEnd(client: { query(sql: string): Promise<unknown> }): Promise<void> {
  await client.query("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots");
}
