/**
 * A user's own table while its columns change in the middle of transactions: independent readers read what PostgreSQL holds before and
 * after each change.
 */
import assert from "node:assert/strict";
import { withTemporaryFolder } from "../../lib/testing/temporary_folder.ts";
import { withPostgres } from "../../lib/testing/with_postgres.ts";
import { captureIntoLake } from "./captured_lake.ts";
import { type LakeReading, readAll } from "./lake_reading.ts";
import { planFewer } from "./pruning.ts";
import { PaimonJavaTests } from "./paimon_java.ts";
import { pythonTest } from "./python_env.ts";

const java = new PaimonJavaTests();

const made = `
  CREATE TABLE orders (id integer PRIMARY KEY, small integer, single real, price numeric(8,2), note text, gone text,
    made timestamptz NOT NULL);
  INSERT INTO orders SELECT n, n - 300, n / 3.0, n * 1.23, 'first ' || n, 'gone ' || n,
    TIMESTAMPTZ '2026-01-01 00:00:00+00' + n * INTERVAL '1 minute' FROM generate_series(1, 600) AS n`;

/**
 * What changes, and the key's name afterwards. Each stage's rows are written before and after its statement. The first stages
 * leave the older files in the table; what rewrites rows at the source has it copied again.
 */
const stages = [
  { name: "a column added", alter: "ADD COLUMN added numeric(9,3)" },
  { name: "a column renamed", alter: "RENAME COLUMN note TO remark" },
  { name: "a column widened", alter: "ALTER COLUMN price TYPE numeric(14,2)" },
  { name: "a column dropped", alter: "DROP COLUMN gone" },
  { name: "the key renamed", alter: "RENAME COLUMN id TO number", key: "number" },
  { name: "a dropped name taken again", alter: "ADD COLUMN gone date" },
  {
    name: "columns widened by a rewrite, the key's too",
    alter: "ALTER COLUMN small TYPE bigint, ALTER COLUMN single TYPE double precision, ALTER COLUMN number TYPE bigint",
  },
  { name: "a column added with a default", alter: "ADD COLUMN filled integer NOT NULL DEFAULT 7" },
  { name: "a column added with a value for each row", alter: "ADD COLUMN token uuid DEFAULT gen_random_uuid()" },
] as const;

type Stage = { readonly name: string; readonly alter: string; readonly key?: string };

/** One transaction: inserts, updates, deletes and key changes on both sides of the change. */
function transaction(stage: Stage, index: number): string {
  const before = stages.slice(0, index).some((earlier: Stage) => earlier.key !== undefined) ? "number" : "id";
  return `BEGIN;
    ${rowChanges(before, 2 * index)};
    ALTER TABLE orders ${stage.alter};
    ${rowChanges(stage.key ?? before, 2 * index + 1)};
    COMMIT`;
}

function rowChanges(key: string, round: number): string {
  const first = 1000 * (round + 1);
  const made = `TIMESTAMPTZ '2026-02-01 12:00:00+00' + ${round} * INTERVAL '1 day'`;
  return `INSERT INTO orders (${key}, small, price, made)
      SELECT ${first} + n, -n, n * 0.25, ${made} FROM generate_series(1, 20) AS n;
    UPDATE orders SET small = small + 1, price = price + 0.01, single = single / 3 WHERE ${key} % 7 = ${round % 7};
    DELETE FROM orders WHERE ${key} % 31 = ${round};
    UPDATE orders SET ${key} = ${key} + 100000 WHERE ${key} % 29 = ${round} AND ${key} < 100000`;
}

const lakes = [
  { name: "Iceberg v3, Paimon and Delta", icebergVersion: "3" },
  { name: "Iceberg v2 and its mirrors", icebergVersion: "2", isMirrored: true },
] as const;

for (const { name, ...kind } of lakes) {
  await pythonTest(
    `independent readers follow every schema change of a user's table, ${name}`,
    (python, test) =>
      withPostgres(({ url, client }) =>
        withTemporaryFolder(async (lake) => {
          await client.query(made);
          const reading = { python, java: java.running, url, lake, test };
          const capture = { url, lake, tables: { tables: ["public.orders"] }, ...kind };
          await captureIntoLake(capture, async (catchUp) => {
            await readAll(reading, { tables: await catchUp(), stage: "after the initial copy" });
            for (const [index, stage] of stages.entries()) {
              await client.query(transaction(stage, index));
              await readAll(reading, { tables: await catchUp(), stage: stage.name });
              if (stage.name === "the key renamed") {
                await client.query(laterOrders);
                await readAll(reading, { tables: await catchUp(), stage: "orders of a later day" });
                await findsLess(reading);
              }
            }
            const [orders] = await catchUp();
            const names = orders!.definition.columns.map(({ name }) => name);
            assert.deepEqual(names.toSorted(), [
              ...["added", "filled", "gone", "made", "number", "price", "remark", "single", "small", "token"],
            ]);
          });
        })
      ),
  );
}

const laterOrders = `INSERT INTO orders (number, made)
  SELECT 500000 + n, TIMESTAMPTZ '2030-01-01 00:00:00+00' + n * INTERVAL '1 hour' FROM generate_series(0, 47) AS n`;

/** Keys and days of the newest file alone: the bounds of files written under other names and types leave those out. */
async function findsLess(reading: LakeReading): Promise<void> {
  await planFewer(reading, {
    table: "public.orders",
    source: "public.orders",
    filters: [
      { how: "by key", filter: "number = 500003", fewer: ["pyiceberg", "pypaimon", "deltalake"] },
      {
        how: "by day",
        filter: "made >= '2030-01-01T00:00:00+00:00' AND made < '2030-01-02T00:00:00+00:00'",
        fewer: ["pyiceberg", "deltalake"],
      },
    ],
  });
}
