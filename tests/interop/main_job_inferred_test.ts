/** Tables nobody declared, with columns of many types and one added while rows stream, as every independent reader reads them. */
import assert from "node:assert/strict";
import { withTemporaryFolder } from "../../lib/testing/temporary_folder.ts";
import { withPostgres } from "../../lib/testing/with_postgres.ts";
import { captureIntoLake } from "./captured_lake.ts";
import { readAll } from "./lake_reading.ts";
import { PaimonJavaTests } from "./paimon_java.ts";
import { pythonTest } from "./python_env.ts";
import { SparkTests } from "./spark.ts";

const spark = new SparkTests(["delta"]);
const java = new PaimonJavaTests();

/** A column of each type, and what fills it from the number `n`. The texts hold what CSV and JSON trip over. */
const columns = {
  small: ["smallint", "(n % 100)::smallint"],
  whole: ["integer", "n - 500"],
  large: ["bigint", "9223372036854775807 - n"],
  single: ["real", "(n / 3.0)::real"],
  double: ["double precision", "n / 7.0::double precision"],
  yes: ["boolean", "n % 3 = 0"],
  price: ["numeric(12,2)", "n * 1.23 - 100"],
  exact: ["numeric(38,10)", "1234567890123456789012345678.0123456789 - n"],
  anyNumber: ["numeric", "n / 17.0"],
  name: ["text", `E'é€😀,"\\n''\\t' || n`],
  empty: ["varchar(20)", "CASE WHEN n % 2 = 0 THEN '' END"],
  bytes: ["bytea", "decode(md5(n::text), 'hex') || '\\x00ff'::bytea"],
  day: ["date", "DATE '1969-12-01' + n"],
  clock: ["time", "TIME '00:00:01' + n * INTERVAL '1.000001 s'"],
  local: ["timestamp", "TIMESTAMP '1969-12-31 23:00:00.000001' + n * INTERVAL '7 minutes'"],
  instant: ["timestamptz", "TIMESTAMPTZ '1969-12-31 23:00:00.999999+05' + n * INTERVAL '11 hours'"],
  id: ["uuid", "md5(n::text)::uuid"],
  document: ["jsonb", `jsonb_build_object('n', n, 'text', E'"\\n')`],
  wholes: ["integer[]", "ARRAY[n, NULL, -n]"],
  texts: ["text[]", `ARRAY['', 'NULL', E'a,"{}\\\\', n::text, NULL]`],
  prices: ["numeric(12,2)[]", "CASE WHEN n % 2 = 0 THEN '{}'::numeric[] ELSE ARRAY[n / 4.0, NULL] END"],
  mood: ["mood", "(ARRAY['calm', 'cross'])[n % 2 + 1]::mood"],
} as const;

const fields = Object.entries(columns);
const columnList = ["key", ...fields.map(([name]) => `"${name}"`)].join(", ");
const valueList = fields.map(([, [, value]]) => value).join(", ");

const rowsFrom = (first: number, last: number) =>
  `INSERT INTO readings (${columnList}) SELECT n, ${valueList} FROM generate_series(${first}, ${last}) AS n;
   INSERT INTO readings (key) VALUES (${-last})`;

const made = `
  CREATE TYPE mood AS ENUM ('calm', 'cross');
  CREATE TABLE readings (key integer PRIMARY KEY, ${fields.map(([name, [type]]) => `"${name}" ${type}`).join(", ")});
  CREATE TABLE pairs (a text, b bigint, note text, PRIMARY KEY (a, b));
  ${rowsFrom(1, 800)};
  INSERT INTO pairs SELECT 'a' || n % 7, n, 'note ' || n FROM generate_series(1, 500) AS n`;

/** Each kind of change, before and after a column is added. */
const changes = [
  rowsFrom(801, 1000),
  "UPDATE readings SET price = price + 0.01, texts = texts || '{x}' WHERE key % 5 = 0",
  "DELETE FROM readings WHERE key % 11 = 0",
  "UPDATE pairs SET b = b + 10000 WHERE b % 3 = 0",
  "ALTER TABLE readings ADD COLUMN added numeric(9,3); ALTER TABLE pairs ADD COLUMN tags uuid[]",
  "UPDATE readings SET added = key / 8.0 WHERE key % 2 = 0",
  "UPDATE pairs SET tags = ARRAY[md5(note)::uuid, NULL] WHERE b % 2 = 0",
  rowsFrom(1001, 1100),
  "UPDATE readings SET key = key + 5000 WHERE key % 13 = 0",
  "DELETE FROM pairs WHERE b % 10 = 0; INSERT INTO pairs VALUES ('a0', 7, 'again', '{}') ON CONFLICT DO NOTHING",
];

const lakes = [
  { name: "Iceberg v3, Paimon and Delta", icebergVersion: "3" },
  { name: "Iceberg v2, Paimon and Delta", icebergVersion: "2" },
  { name: "Iceberg v3 and its mirrors", icebergVersion: "3", isMirrored: true },
] as const;

for (const { name, ...kind } of lakes) {
  await pythonTest(
    `independent readers find every row of inferred tables, ${name}`,
    (python, test) =>
      withPostgres(({ url, client }) =>
        withTemporaryFolder(async (lake) => {
          await client.query(made);
          const capture = { url, lake, tables: { tables: ["public.*"] }, ...kind };
          const streamed = await captureIntoLake(capture, async () => {
            for (const change of changes) await client.query(change);
          });
          const names = streamed.map(({ definition }) => definition.columns.at(-1)?.name);
          assert.deepEqual(names.toSorted(), ["added", "tags"]);
          const reading = { python, spark: spark.running, java: java.running, url, lake, test };
          await readAll(reading, { tables: streamed, stage: "after every kind of change" });
        })
      ),
  );
}
