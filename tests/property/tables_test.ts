/** Tables of every kind are captured exactly or refused with what to do. */
import assert from "node:assert/strict";
import { WeirError } from "../../lib/errors.ts";
import { withTemporaryFolder } from "../../lib/testing/temporary_folder.ts";
import { withPostgres } from "../../lib/testing/with_postgres.ts";
import { assertVerified, captureJob } from "./capture_job.ts";

const settings = { wal_level: "logical" };

/** Statements before the capture, and while it streams. */
interface Scene {
  readonly before: string;
  readonly changes: readonly string[];
}

const scenes: Readonly<Record<string, Scene>> = {
  "identity and generated columns, stored and virtual": {
    before: `CREATE TABLE made (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a int,
        s int GENERATED ALWAYS AS (a + 1) STORED, v int GENERATED ALWAYS AS (a + 2));
      CREATE TABLE made_key (a int, s int GENERATED ALWAYS AS (a + 1) STORED PRIMARY KEY);
      INSERT INTO made (a) SELECT generate_series(1, 5); INSERT INTO made_key (a) SELECT generate_series(1, 5)`,
    changes: [
      "INSERT INTO made (a) VALUES (7); UPDATE made SET a = 70 WHERE a = 2",
      "UPDATE made_key SET a = 50 WHERE a = 2; DELETE FROM made_key WHERE a = 3",
      "ALTER TABLE made ADD late int GENERATED ALWAYS AS (a * 3) STORED, ADD seen int GENERATED ALWAYS AS (a * 3) VIRTUAL",
      "UPDATE made SET a = 8 WHERE a = 3",
      "ALTER TABLE made ALTER s SET EXPRESSION AS (a + 100); UPDATE made SET a = 9 WHERE a = 4",
      "ALTER TABLE made ALTER s DROP EXPRESSION; UPDATE made SET s = 4 WHERE a = 9",
    ],
  },
  "partitions of partitions, made, attached, detached and truncated": {
    before: `CREATE TABLE partitioned (id int, k int, note text, PRIMARY KEY (id, k)) PARTITION BY LIST (k);
      CREATE TABLE partitioned_1 PARTITION OF partitioned FOR VALUES IN (1);
      CREATE TABLE partitioned_2 PARTITION OF partitioned FOR VALUES IN (2) PARTITION BY RANGE (id);
      CREATE TABLE partitioned_2_1 PARTITION OF partitioned_2 FOR VALUES FROM (0) TO (100);
      INSERT INTO partitioned SELECT i, 1 + i % 2, 'x' FROM generate_series(1, 20) i`,
    changes: [
      `CREATE TABLE loose (note text, junk int, k int NOT NULL, id int NOT NULL, PRIMARY KEY (id, k));
       ALTER TABLE loose DROP junk; INSERT INTO loose VALUES ('old', 3, 500), ('old', 3, 501);
       ALTER TABLE partitioned ATTACH PARTITION loose FOR VALUES IN (3)`,
      "INSERT INTO partitioned VALUES (502, 3, 'new'); UPDATE partitioned SET k = 1 WHERE id = 502",
      "UPDATE partitioned SET note = 'q' WHERE id = 500; DELETE FROM partitioned WHERE id = 501",
      "ALTER TABLE partitioned DETACH PARTITION partitioned_1; TRUNCATE partitioned_2; INSERT INTO partitioned VALUES (7, 2, 'late')",
      "DROP TABLE partitioned_1",
    ],
  },
  "key columns that become wider": {
    before: `CREATE TABLE counted (id int PRIMARY KEY, v text); INSERT INTO counted VALUES (1, 'a'), (2, 'b'), (3, 'c');
      CREATE TABLE priced (price numeric(9,2) PRIMARY KEY, v text); INSERT INTO priced VALUES (1.5, 'a'), (2, 'b')`,
    changes: [
      "UPDATE counted SET v = 'x' WHERE id = 1; UPDATE priced SET v = 'x' WHERE price = 2",
      "ALTER TABLE counted ALTER id TYPE bigint; INSERT INTO counted VALUES (5000000000, 'd'); DELETE FROM counted WHERE id = 2",
      "ALTER TABLE priced ALTER price TYPE numeric(20,2); INSERT INTO priced VALUES (1e15, 'c'); DELETE FROM priced WHERE price = 1.5",
      "UPDATE counted SET v = 'y' WHERE id = 3; UPDATE priced SET v = 'y' WHERE price = 2",
    ],
  },
  "tables that are emptied, with nothing else happening to them": {
    before: `CREATE TABLE emptied (id int PRIMARY KEY, v text); INSERT INTO emptied VALUES (1, 'a'), (2, 'b');
      CREATE TABLE referring (id int PRIMARY KEY REFERENCES emptied); INSERT INTO referring VALUES (1);
      CREATE TABLE empty (id int PRIMARY KEY)`,
    changes: ["TRUNCATE emptied CASCADE", "TRUNCATE empty"],
  },
  "a table and one that inherits from it": {
    before:
      `CREATE TABLE parent (id int PRIMARY KEY, a text); CREATE TABLE child (b int, PRIMARY KEY (id)) INHERITS (parent);
      INSERT INTO parent VALUES (1, 'p'); INSERT INTO child VALUES (1, 'c', 5)`,
    changes: [
      "INSERT INTO parent VALUES (2, 'p'); INSERT INTO child VALUES (3, 'c', 1); UPDATE parent SET a = 'u'",
      "ALTER TABLE parent ADD z int; UPDATE parent SET z = 5",
    ],
  },
  "an index of several columns as identity": {
    before: `CREATE TABLE indexed (a int NOT NULL, b text NOT NULL, c int);
      CREATE UNIQUE INDEX indexed_key ON indexed (a, b) INCLUDE (c);
      ALTER TABLE indexed REPLICA IDENTITY USING INDEX indexed_key; INSERT INTO indexed VALUES (1, 'x', 1), (1, 'y', 2)`,
    changes: ["UPDATE indexed SET b = 'z' WHERE b = 'x'", "DELETE FROM indexed WHERE b = 'y'"],
  },
  "keys of unusual types": {
    before: `CREATE COLLATION ignoring_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
      CREATE DOMAIN amount AS numeric(10,2); CREATE TYPE letter AS ENUM ('a', 'b', 'c');
      CREATE TABLE by_enum (k letter PRIMARY KEY, v int); INSERT INTO by_enum VALUES ('a', 1), ('b', 2);
      CREATE TABLE by_domain (k amount PRIMARY KEY, v int); INSERT INTO by_domain VALUES (1.5, 1), (2, 2);
      CREATE TABLE by_collation (k text COLLATE ignoring_case PRIMARY KEY, v int);
      INSERT INTO by_collation VALUES ('Abc', 1), ('B', 2);
      CREATE TABLE by_number (k numeric PRIMARY KEY, v int); INSERT INTO by_number VALUES (1.50, 1), (2, 2);
      CREATE TABLE by_double (k float8 PRIMARY KEY, v int); INSERT INTO by_double VALUES (0, 1), ('NaN', 2), ('inf', 3);
      CREATE TABLE by_time (k timestamptz PRIMARY KEY, v int); INSERT INTO by_time VALUES ('2024-01-01', 1), ('infinity', 2);
      CREATE TABLE by_range (k int4range PRIMARY KEY, v int); INSERT INTO by_range VALUES ('[1,4)', 2);
      CREATE TABLE by_bytes (k bytea, c char(4), v int, PRIMARY KEY (c, k));
      INSERT INTO by_bytes VALUES ('\\x00ff', 'a', 1), ('\\x', 'b', 2);
      CREATE TABLE by_json (k jsonb PRIMARY KEY, v int); INSERT INTO by_json VALUES ('{"a": 1.0}', 1);
      CREATE TABLE by_interval (k interval PRIMARY KEY, v int); INSERT INTO by_interval VALUES ('1 mon', 1), ('3 days', 2)`,
    changes: [
      "UPDATE by_enum SET v = 9 WHERE k = 'a'; UPDATE by_enum SET k = 'c' WHERE k = 'b'",
      "UPDATE by_domain SET v = 9 WHERE k = 2; UPDATE by_domain SET k = 7 WHERE v = 1",
      "UPDATE by_collation SET k = 'aBC' WHERE v = 1; DELETE FROM by_collation WHERE k = 'b'",
      "UPDATE by_number SET k = 1.5 WHERE v = 1; UPDATE by_number SET k = 2.00, v = 5 WHERE v = 2",
      "UPDATE by_double SET k = '-0' WHERE v = 1; UPDATE by_double SET v = 7 WHERE k = 'NaN'; DELETE FROM by_double WHERE k = 'inf'",
      "UPDATE by_time SET v = 7; UPDATE by_time SET k = '2025-01-01' WHERE k = 'infinity'",
      "UPDATE by_time SET k = '-infinity' WHERE k < '2024-06-01'",
      "UPDATE by_range SET k = '[1,5)'; UPDATE by_range SET v = 88",
      "UPDATE by_bytes SET c = 'zz' WHERE v = 1; UPDATE by_bytes SET v = 6 WHERE v = 2",
      `UPDATE by_json SET k = '{"a": 1.00}'`,
      "UPDATE by_interval SET k = '30 days' WHERE v = 1; DELETE FROM by_interval WHERE v = 2",
      "UPDATE by_double SET v = 8 WHERE k = 0",
    ],
  },
};

for (const [name, { before, changes }] of Object.entries(scenes)) {
  Deno.test(`captured exactly: ${name}`, () =>
    withPostgres(({ client, url }) =>
      withTemporaryFolder(async (lake) => {
        await client.query(before);
        const { rows: [{ count }] } = await client.query(
          `SELECT count(*)::int FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition
           AND relnamespace = 'public'::regnamespace`,
        );
        const job = { url, lake, tables: ["*"] };
        const work = async () => {
          for (const statement of changes) {
            await client.query(statement);
            // Some in a batch of their own, some together.
            await new Promise((resolve) => setTimeout(resolve, 40));
          }
        };
        assertVerified(await captureJob({ ...job, work }), count);
        assertVerified(await captureJob(job), count);
      }), { settings }));
}

Deno.test("captured exactly: a thousand columns", () =>
  withPostgres(({ client, url }) =>
    withTemporaryFolder(async (lake) => {
      const columns = Array.from({ length: 1000 }, (_, index) => `c${index} text`).join(", ");
      await client.query(
        `CREATE TABLE wide (id int PRIMARY KEY, ${columns}); INSERT INTO wide (id, c5) VALUES (1, 2), (2, 3)`,
      );
      const work = async () => {
        await client.query("INSERT INTO wide (id, c999) VALUES (3, 7); UPDATE wide SET c998 = 5 WHERE id = 1");
        await client.query("DELETE FROM wide WHERE id = 2");
      };
      assertVerified(await captureJob({ url, lake, tables: ["wide"], work }), 1);
    }), { settings }));

Deno.test("a table is partitioned by the columns that the user names, and a misspelt name is refused before anything is written", () =>
  withPostgres(({ client, url }) =>
    withTemporaryFolder(async (lake) => {
      await client.query(
        `CREATE TABLE orders (id bigint, land text, made date, amount numeric(8, 2), v double precision,
          PRIMARY KEY (id, made));
        INSERT INTO orders SELECT i, CASE WHEN i % 4 > 0 THEN 'l/' || i % 4 END, DATE '2026-01-01' + i % 2, i, i
          FROM generate_series(1, 500) i`,
      );
      const job = (given: string) => ({
        ...{ url, lake, tables: ["orders"] },
        flags: { formats: "iceberg,delta", "partition-by": given },
      });
      for (
        const [given, message, advice] of [
          ["order=land", '--partition-by names "order", which is none of the captured tables', /"orders" is meant/],
          ["orders=lant", 'public.orders has no column "lant", which --partition-by names', /perhaps "land" is meant$/],
        ] as const
      ) await assert.rejects(captureJob(job(given)), { kind: "configuration", message, advice });
      const { rows } = await client.query("SELECT FROM pg_publication UNION ALL SELECT FROM pg_replication_slots");
      const written = await Array.fromAsync(Deno.readDir(lake));
      assert.deepEqual([rows.length, written.filter(({ isDirectory }) => isDirectory)], [0, []]);
      const changes = async () => {
        await client.query("UPDATE orders SET land = 'new' WHERE id % 7 = 0; DELETE FROM orders WHERE id % 5 = 0");
        await client.query(
          "ALTER TABLE orders RENAME land TO country; INSERT INTO orders VALUES (900, 'x', '2027-01-01')",
        );
      };
      const made = await captureJob({ ...job("orders=land,made"), work: changes });
      assertVerified(made, 1);
      const folders = async (path: string) =>
        new Set(await Array.fromAsync(Deno.readDir(`${lake}/${path}`), ({ name }) => name));
      const [iceberg, delta] = [await folders("iceberg/public/orders/data"), await folders("delta/public/orders")];
      for (const name of ["land=l%2F1", "land=null", "land=x"]) assert.ok(iceberg.has(name), name);
      for (const name of ["land=l%2F1", "land=null", "country=x"]) assert.ok(delta.has(name), name);
      const again = await captureJob({
        ...job("orders=made"),
        work: async () => void await client.query("UPDATE orders SET v = 1"),
      });
      assertVerified(again, 1);
      assert.match(
        again.notes,
        /public.orders stays as it was made in delta: partitioned by country, made; remove its folder/,
      );
      assert.doesNotMatch(made.notes + again.notes, /made in iceberg/);
    }), { settings }));

Deno.test("rows stand in Iceberg files in the order that the user names", () =>
  withPostgres(({ client, url }) =>
    withTemporaryFolder(async (lake) => {
      await client.query(`CREATE TABLE visits (id int PRIMARY KEY, page int, tags text[]);
        INSERT INTO visits SELECT i, i * 7919 % 100, NULL FROM generate_series(1, 500) i`);
      const job = (given: string, formats = "iceberg,paimon") => ({
        ...{ url, lake, tables: ["visits"] },
        flags: { formats, "sort-by": given },
      });
      for (
        const [given, message] of [
          ["visits=pages", 'public.visits has no column "pages", which --sort-by names'],
          ["visits=page,tags", 'Cannot sort public.visits by page, tags: column "tags" is a list'],
          ["visit=page", '--sort-by names "visit", which is none of the captured tables'],
        ] as const
      ) await assert.rejects(captureJob(job(given)), { kind: "configuration", message });
      await assert.rejects(captureJob(job("visits=page", "paimon")), { message: /iceberg is missing in --formats$/ });
      assertVerified(await captureJob(job("visits=page,id")), 1);
      const files =
        `read_parquet('${lake}/iceberg/public/visits/data/**/*.parquet', filename = true, file_row_number = true)`;
      const unsorted = `SELECT count(*) FROM (SELECT (page, id) AS key, lag((page, id)) OVER
        (PARTITION BY filename ORDER BY file_row_number) AS before FROM ${files}) WHERE key < before`;
      await captureJob({
        ...job("visits=page,id"),
        work: async ({ lake: { connection } }) => assert.equal(await connection.value(unsorted), 0n),
      });
    }), { settings }));

/** What happens to the key, and the formats whose tables cannot follow. */
const keyChanges: readonly (readonly [change: string, formats: string])[] = [
  ["ALTER TABLE keyed DROP CONSTRAINT keyed_pkey, ADD PRIMARY KEY (other)", "paimon"],
  ["ALTER TABLE keyed DROP id, ADD PRIMARY KEY (other)", "paimon"],
  ["ALTER TABLE keyed DROP id, ADD PRIMARY KEY (other)", "iceberg"],
];

Deno.test("a key that a table cannot follow sets it aside, and what the job advises puts it right", async (test) => {
  for (const [change, formats] of keyChanges) {
    await test.step(`${formats}: ${change}`, () =>
      withPostgres(({ client, url }) =>
        withTemporaryFolder(async (lake) => {
          await client.query(`CREATE TABLE keyed (id int PRIMARY KEY, other int NOT NULL, v text);
            INSERT INTO keyed VALUES (1, 10, 'a')`);
          const job = { url, lake, tables: ["keyed"], flags: { formats } };
          await captureJob(job);
          await client.query(`${change}; UPDATE keyed SET v = 'b'`);
          await assert.rejects(captureJob(job), {
            kind: "unsupportedSchemaChange",
            advice:
              /^Remove the table's folders from the lake \(iceberg\/NAMESPACE\/TABLE, paimon\/NAMESPACE.db\/TABLE\)/,
          });
          const folder = formats === "paimon" ? "paimon/public.db/keyed" : "iceberg/public/keyed";
          await Deno.remove(`${lake}/${folder}`, { recursive: true });
          const { verified } = await captureJob(job);
          assert.deepEqual(verified.map(({ missing, extra, different }) => missing + extra + different), [0]);
        }), { settings }));
  }
});

/** Table patterns, and what the refusal says. */
const refusals: readonly (readonly [tables: string, said: RegExp])[] = [
  ["keyless", /"keyless" has no key by which rows can be told apart: ALTER TABLE "public"."keyless" ADD PRIMARY KEY/],
  ["deferred", /"deferred" has a primary key that can be deferred.*ADD PRIMARY KEY/],
  ["nothing", /"nothing" has no key/],
  ["fast", /"fast" is unlogged or temporary: ALTER TABLE "public"."fast" SET LOGGED/],
  ["fast/data", /"fast\/data" has a name that no folder of the lake can have: .*: rename it/],
  ["up.*", /"up"."\.\." has a name that no folder of the lake can have: .*: rename it/],
  ["seen", /"seen" is a view, and views send no changes: name the tables that it reads/],
  ["kept", /"kept" is a materialized view/],
  ["elsewhere", /"elsewhere" is a foreign table, .*: capture it on the server that holds its rows/],
  ["orders", /no table matches "orders": write it as public.Orders/],
  ["pg_catalog.pg_class", /no table matches "pg_catalog.pg_class": correct the pattern/],
  ["listed", /"listed" names its rows by column "id", which is an array: .* REPLICA IDENTITY USING INDEX/],
  [
    "partitioned,partitioned_1",
    /"partitioned_1" is a table partition of "public"."partitioned", .*: name one of the two/,
  ],
  ["partly", /"partly" has unlogged table partitions: ALTER TABLE public.partly_1 SET LOGGED/],
  ["a.*", /"a"."b.c" and "a.b"."c" would both be a.b.c/],
  ["secret", /"secret" may not be read: .* GRANT SELECT ON "public"."secret" TO "reader"/],
  ["some_columns", /"some_columns" may not be read: .* GRANT SELECT ON "public"."some_columns" TO "reader"/],
  ["closed", /"closed" has table partitions that may not be read: GRANT SELECT ON public.closed_1 TO "reader"/],
  ["rows_hidden", /"rows_hidden" has row security, .*: ALTER ROLE "reader" BYPASSRLS/],
];

Deno.test("what cannot be captured exactly is refused with what to do", () =>
  withPostgres(({ client, url }) =>
    withTemporaryFolder(async (lake) => {
      await client.query(`
        CREATE ROLE reader LOGIN REPLICATION PASSWORD 'reader'; GRANT CREATE ON DATABASE postgres TO reader;
        CREATE TABLE keyless (a int UNIQUE); ALTER TABLE keyless REPLICA IDENTITY FULL;
        CREATE TABLE deferred (a int PRIMARY KEY DEFERRABLE); CREATE TABLE nothing (); CREATE UNLOGGED TABLE fast (a int PRIMARY KEY);
        CREATE TABLE "fast/data" (a int PRIMARY KEY); CREATE SCHEMA up; CREATE TABLE up.".." (a int PRIMARY KEY);
        CREATE VIEW seen AS SELECT 1 AS a; CREATE MATERIALIZED VIEW kept AS SELECT 1 AS a;
        CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
        CREATE FOREIGN TABLE elsewhere (a text) SERVER files OPTIONS (filename '/dev/null');
        CREATE TABLE "Orders" (id int PRIMARY KEY); CREATE TABLE listed (id int[] PRIMARY KEY);
        CREATE TABLE partitioned (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE partitioned_1 PARTITION OF partitioned DEFAULT;
        CREATE TABLE partly (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE UNLOGGED TABLE partly_1 PARTITION OF partly DEFAULT;
        CREATE SCHEMA a; CREATE SCHEMA "a.b"; CREATE TABLE a."b.c" (id int PRIMARY KEY); CREATE TABLE "a.b".c (id int PRIMARY KEY);
        GRANT USAGE ON SCHEMA a, "a.b" TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA public, a, "a.b" TO reader;
        CREATE TABLE secret (id int PRIMARY KEY); CREATE TABLE some_columns (id int PRIMARY KEY, a int, b int);
        GRANT SELECT (id, a) ON some_columns TO reader;
        CREATE TABLE closed (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE closed_1 PARTITION OF closed DEFAULT;
        CREATE TABLE rows_hidden (id int PRIMARY KEY); ALTER TABLE rows_hidden ENABLE ROW LEVEL SECURITY;
        GRANT SELECT ON closed, rows_hidden TO reader`);
      const reader = new URL(url);
      reader.username = reader.password = "reader";
      for (const [tables, said] of refusals) {
        await assert.rejects(captureJob({ url: reader.href, lake, tables: tables.split(",") }), (thrown: unknown) => {
          assert.ok(thrown instanceof WeirError);
          assert.equal(thrown.kind, "precondition");
          assert.match(thrown.message, said);
          return true;
        });
      }
      const { rows } = await client.query("SELECT FROM pg_publication UNION ALL SELECT FROM pg_replication_slots");
      assert.equal(rows.length, 0);
    }), { settings }));

Deno.test("a table partition is not captured as a table of its own while its root is published", () =>
  withPostgres(({ client, url }) =>
    withTemporaryFolder(async (lake) => {
      await client.query(`CREATE TABLE root (id int PRIMARY KEY) PARTITION BY RANGE (id);
        CREATE TABLE leaf PARTITION OF root DEFAULT; INSERT INTO root VALUES (1)`);
      assertVerified(await captureJob({ url, lake, tables: ["root"] }), 1);
      await assert.rejects(captureJob({ url, lake, tables: ["leaf"] }), {
        kind: "precondition",
        message: /sends the changes of "public"."leaf" as those of "public"."root": ALTER PUBLICATION .* DROP TABLE/,
      });
      // Only a pattern matches the partition: its root speaks for it.
      assertVerified(await captureJob({ url, lake, tables: ["*"] }), 1);
    }), { settings }));

const spoilt: Readonly<Record<string, readonly [change: string, said: RegExp]>> = {
  "lost its key": ["ALTER TABLE spoilt DROP CONSTRAINT spoilt_pkey", /"spoilt" has no key/],
  "got an unlogged partition": [
    "CREATE UNLOGGED TABLE spoilt_2 PARTITION OF spoilt DEFAULT; INSERT INTO spoilt VALUES (100)",
    /"spoilt" has unlogged table partitions: ALTER TABLE public.spoilt_2 SET LOGGED/,
  ],
};

Deno.test("a table that cannot be captured exactly any more stops the job with what to do", async (test) => {
  for (const [name, [change, said]] of Object.entries(spoilt)) {
    await test.step(name, () =>
      withPostgres(({ client, url }) =>
        withTemporaryFolder(async (lake) => {
          await client.query(`CREATE TABLE spoilt (id int PRIMARY KEY) PARTITION BY RANGE (id);
            CREATE TABLE spoilt_1 PARTITION OF spoilt FOR VALUES FROM (0) TO (10); INSERT INTO spoilt VALUES (1)`);
          const work = async () => {
            await client.query(change);
            await client.query("INSERT INTO spoilt VALUES (2)");
          };
          const wanted = { kind: "precondition", message: said };
          await assert.rejects(captureJob({ url, lake, tables: ["spoilt"], work }), wanted);
        }), { settings }));
  }
});
