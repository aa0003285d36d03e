/** The capture job on the oldest PostgreSQL that the README promises. */
import assert from "node:assert/strict";
import pg from "pg";
import { withTemporaryFolder } from "../../lib/testing/temporary_folder.ts";
import { assertVerified, captureJob } from "../property/capture_job.ts";
import { nastyTable } from "../property/nasty_columns.ts";
import { oldestPostgres, withOldestPostgres } from "./oldest_postgres.ts";

const nasty = nastyTable(13);
const tables = `
  CREATE TABLE orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text, total int,
    twice int GENERATED ALWAYS AS (total * 2) STORED);
  ALTER TABLE orders ALTER body SET STORAGE EXTERNAL;
  INSERT INTO orders (body, total) SELECT repeat(i::text, 3000), i FROM generate_series(1, 500) i;
  CREATE TABLE whole (a int NOT NULL UNIQUE, b text);
  ALTER TABLE whole REPLICA IDENTITY FULL;
  INSERT INTO whole SELECT i, 'x' FROM generate_series(1, 50) i;
  CREATE TABLE partitioned (id int, day date, note text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
  CREATE TABLE partitioned_1 PARTITION OF partitioned FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
  CREATE TABLE partitioned_2 PARTITION OF partitioned DEFAULT;
  INSERT INTO partitioned SELECT i, date '2024-01-01' + i, 'p' FROM generate_series(1, 100) i;
  CREATE TABLE emptied (id int PRIMARY KEY);
  INSERT INTO emptied VALUES (1), (2)`;
/** Each in a transaction of its own. */
const changes = [
  nasty.insert({ seed: 2, rows: 60, firstId: 1000 }),
  "UPDATE nasty SET a_int4 = 7 WHERE id % 3 = 0; DELETE FROM nasty WHERE id % 5 = 0",
  "UPDATE nasty SET id = id + 5000 WHERE id % 7 = 1",
  "UPDATE orders SET total = total + 1 WHERE id % 2 = 0; DELETE FROM orders WHERE id % 9 = 0",
  "INSERT INTO orders (body, total) SELECT 'new', i FROM generate_series(1, 5000) i",
  "UPDATE whole SET a = a + 1000 WHERE a < 20; UPDATE whole SET b = NULL WHERE a > 40; DELETE FROM whole WHERE a = 30",
  "UPDATE partitioned SET day = day + 60 WHERE id < 10; DELETE FROM partitioned WHERE id > 90",
  `INSERT INTO orders (body, total) VALUES ('a', 1); ALTER TABLE orders ADD extra text DEFAULT 'none';
   INSERT INTO orders (body, total) VALUES ('b', 1); ALTER TABLE whole RENAME b TO c; INSERT INTO whole VALUES (5000, 'z')`,
  "TRUNCATE emptied; INSERT INTO emptied VALUES (3)",
  `CREATE TABLE partitioned_3 PARTITION OF partitioned FOR VALUES FROM ('2030-01-01') TO ('2031-01-01');
   INSERT INTO partitioned VALUES (2000, '2030-05-05', 'later')`,
  "BEGIN; UPDATE orders SET body = 'x'; ROLLBACK",
];

const found = await oldestPostgres();
const name =
  "PostgreSQL 13: copy, every kind of change, schema changes and a restart end in tables that are as the source is";
if ("missing" in found) Deno.test({ name: `${name} (skipped: ${found.missing})`, ignore: true, fn: () => {} });
else {
  Deno.test(name, () =>
    withOldestPostgres(found, (url) =>
      withTemporaryFolder(async (lake) => {
        const client = new pg.Client(url);
        await client.connect();
        const job = { url, lake, tables: ["public.*"] };
        try {
          for (const statement of [nasty.ddl, nasty.insert({ seed: 1, rows: 60, firstId: 0 }), tables]) {
            await client.query(statement);
          }
          assertVerified(await captureJob(job), 5);
          const work = async () => {
            for (const statement of changes) await client.query(statement);
          };
          const outcome = await captureJob({ ...job, work });
          assertVerified(outcome, 5);
          assert.ok(outcome.deadLetters > 0);
          assertVerified(await captureJob(job), 5);
        } finally {
          await client.end();
        }
      })));
}
