import assert from "node:assert/strict";
import { withPostgres } from "../../testing/with_postgres.ts";
import { PostgresConnection } from "./connection.ts";
import { findTables } from "./find_tables.ts";

const before = `CREATE SCHEMA sales; CREATE TABLE sales.items (id int PRIMARY KEY);
  CREATE TABLE orders (id int PRIMARY KEY); CREATE TABLE audit_log (line text); CREATE VIEW audit_seen AS SELECT 1 AS a;
  CREATE TABLE partitioned (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE partitioned_1 PARTITION OF partitioned DEFAULT`;

/** Patterns and what they select. */
const selections: readonly (readonly [patterns: string, names: string])[] = [
  ["public.*,!public.audit_*", "public.orders public.partitioned"],
  ["!audit_log,*", "public.orders public.partitioned"],
  ["!audit_*", "public.orders public.partitioned sales.items"],
  ["!public.*", "sales.items"],
  // A table partition goes with its root.
  ["*,!partitioned,!audit_log", "public.orders"],
  // Nothing to leave out today is no reason to stop; neither is what is never captured.
  ["orders,!tmp_*,!audit_seen", "public.orders"],
];

/** Patterns and what is wrong with them. */
const refusals: readonly (readonly [patterns: string, said: RegExp])[] = [
  ["*,!audit_lag", /no table matches "!audit_lag": did you mean !public.audit_log\?/],
  ["*,!Orders,!audit_log", /no table matches "!Orders": write it as !public.orders: upper and lower case matter/],
  ["sales.*,!sales.items", /every table that is named is left out again: take an exclusion \(!\) away/],
  [
    "partitioned,!partitioned_1",
    /"partitioned_1" cannot be left out: .* partition of "public"."partitioned", .*: leave out "public"."partitioned"/,
  ],
  ["*", /"audit_log" has no key .*: ALTER TABLE .* ADD PRIMARY KEY \(…\) -- or leave it out: !public.audit_log/],
  ["audit_log", /"audit_log" has no key .*: ALTER TABLE .* ADD PRIMARY KEY \(…\)$/],
];

Deno.test("patterns select tables, and those with an exclamation mark leave tables out", async () => {
  await withPostgres(async ({ client, url }) => {
    await client.query(before);
    const connection = await PostgresConnection.open(url);
    const find = (patterns: string) =>
      findTables({ connection, tables: patterns.split(","), user: "postgres", generatedColumns: true });
    try {
      for (const [patterns, names] of selections) {
        const { tables, problems } = await find(patterns);
        assert.deepEqual(problems, [], patterns);
        assert.equal(tables.map(({ table }) => `${table.namespace}.${table.name}`).sort().join(" "), names, patterns);
      }
      for (const [patterns, said] of refusals) {
        const problems = (await find(patterns)).problems.map(({ problem, remedy }) => `${problem}: ${remedy}`);
        assert.equal(problems.length, patterns === "*,!audit_lag" ? 2 : 1, problems.join("\n"));
        assert.match(problems[0] ?? "", said);
      }
    } finally {
      await connection.close();
    }
  });
});
