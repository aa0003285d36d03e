/** Values of every type through initial copy and stream, against what PostgreSQL itself says of them. */
import assert from "node:assert/strict";
import { sourceTable } from "../../lib/dataset/dataset.ts";
import type { Connection } from "../../lib/engine/connection.ts";
import { identifier } from "../../lib/engine/quote.ts";
import { PostgresConnection } from "../../lib/source/postgres/connection.ts";
import { rowTextQuery } from "../../lib/source/postgres/row_text_sql.ts";
import type { PostgresSource } from "../../lib/source/postgres/source.ts";
import { columnText, rowHash } from "../../lib/verify/row_text.ts";
import { nastyTable } from "./nasty_columns.ts";
import { changesOf, changesUntilNow, copyAll, readTyped, type SourceFixture, withSource } from "./source_fixture.ts";

const rowsEach = 150;
const nasty = nastyTable(18);

/** Hash by id as the source computes it. */
async function sourceHashes(
  fixture: SourceFixture,
  source: PostgresSource,
  maxValueBytes: number,
): Promise<ReadonlyMap<string, string>> {
  const [dataset] = source.datasets;
  assert.ok(dataset);
  const connection = await PostgresConnection.open(fixture.url);
  try {
    const query = rowTextQuery(dataset, sourceTable(dataset), { maxValueBytes });
    const rows = await connection.rows<Record<string, string>>(query.statement);
    return new Map(rows.map((found) => [String(Object.values(found)[0]), String(found["hash"])]));
  } finally {
    await connection.close();
  }
}

async function typedHashes(
  connection: Connection,
  source: PostgresSource,
  table: string,
): Promise<ReadonlyMap<string, string>> {
  const columns = source.datasets[0]?.columns ?? [];
  const rows = await connection.rows(`SELECT id::VARCHAR AS id, ${rowHash(columns)} AS hash FROM ${identifier(table)}`);
  return new Map(rows.map((found) => [String(found["id"]), String(found["hash"])]));
}

/** Names the columns in which rows differ: no values, for they may be anything. */
async function assertSame(
  fixture: SourceFixture,
  sides: { readonly source: PostgresSource; readonly table: string; readonly expected: ReadonlyMap<string, string> },
): Promise<void> {
  const found = await typedHashes(fixture.connection, sides.source, sides.table);
  const wrong = [...found].filter(([id, hash]) => sides.expected.get(id) !== hash).map(([id]) => id);
  if (wrong.length === 0) return;
  const [id] = wrong;
  const texts = (sides.source.datasets[0]?.columns ?? []).map((column) =>
    `${columnText(column)} AS ${identifier(column.name)}`
  );
  const [shown] = await fixture.connection.rows(
    `SELECT ${texts.join(", ")} FROM ${identifier(sides.table)} WHERE id = ${id}`,
  );
  const result = await fixture.client.query(`SELECT row_to_json(n)::text AS row FROM nasty n WHERE id = ${id}`);
  assert.fail(`${wrong.length} rows differ, the first one:\n${JSON.stringify(shown)}\n${result.rows[0].row}`);
}

async function roundTrip(fixture: SourceFixture, maxValueBytes: number, seed: number): Promise<void> {
  await fixture.client.query("TRUNCATE nasty");
  await fixture.client.query(nasty.insert({ seed, rows: rowsEach, firstId: 0 }));
  const source = await fixture.open({ tables: ["nasty"], maxValueBytes });
  const [part] = await copyAll(source);
  assert.ok(part);
  await readTyped(fixture.connection, { source, changes: part.changes, table: "copied" });
  await fixture.client.query(nasty.insert({ seed: -seed, rows: rowsEach, firstId: rowsEach }));
  const changes = changesOf(await changesUntilNow(source, part.position, fixture.client), "public.nasty");
  assert.equal(changes.length, 1);
  for (const change of changes) await readTyped(fixture.connection, { source, changes: change, table: "streamed" });
  const expected = await sourceHashes(fixture, source, maxValueBytes);
  assert.equal(expected.size, rowsEach * 2);
  const count = (table: string) => fixture.connection.value(`SELECT count(*) FROM ${table}`);
  assert.deepEqual([await count("copied"), await count("streamed")], [BigInt(rowsEach), BigInt(rowsEach)]);
  await assertSame(fixture, { source, table: "copied", expected });
  await assertSame(fixture, { source, table: "streamed", expected });
}

Deno.test("values of every type arrive as PostgreSQL has them, through copy and stream", async () => {
  await withSource(async (fixture) => {
    await fixture.client.query(nasty.ddl);
    for (const seed of [1, 2, 3]) await roundTrip(fixture, 64 * 2 ** 20, seed);
  });
});

Deno.test("values over a small limit are NULL on both ways, and named", async () => {
  await withSource(async (fixture) => {
    await fixture.client.query(nasty.ddl);
    await roundTrip(fixture, 60, 4);
    await fixture.client.query("CREATE TABLE large (id text PRIMARY KEY, body text)");
    await fixture.client.query(
      "INSERT INTO large VALUES ('a', repeat('x', 61)), ('b', repeat('\"', 60)), (repeat('k', 70), 'c')",
    );
    // One batch, however slow the machine is.
    const source = await fixture.open({ tables: ["large"], maxValueBytes: 60, batchMs: 60_000 });
    const [part] = await copyAll(source);
    assert.ok(part);
    await fixture.client.query("INSERT INTO large VALUES ('d', repeat('x', 61)), (repeat('l', 70), 'c')");
    await fixture.client.query("INSERT INTO large VALUES ('e', repeat('x', 61))");
    const [changes] = changesOf(await changesUntilNow(source, part.position, fixture.client), "public.large");
    assert.ok(changes);
    const letters = [...part.changes.deadLetters, ...changes.deadLetters].map((
      { key, column },
    ) => [key && JSON.parse(key).id, column]);
    assert.deepEqual(
      new Set(letters.map(String)),
      new Set(["a,body", ",", "d,body", "e,body"]),
    );
    assert.equal(letters.length, 5);
    assert.equal(part.changes.segments[0]?.rows, 2);
    assert.equal(changes.segments[0]?.rows, 2);
    // Each letter of a batch has an id of its own, whichever source commit its row came with.
    const ordinals = changes.deadLetters.map(({ ordinal }) => ordinal);
    assert.equal(new Set(ordinals).size, 3);
  });
});

Deno.test("values of a megabyte and more arrive whole", async () => {
  await withSource(async (fixture) => {
    await fixture.client.query("CREATE TABLE long (id int PRIMARY KEY, body text, hash text)");
    const fill = (first: number) =>
      fixture.client.query(
        `INSERT INTO long SELECT id, body, md5(body) FROM (
           SELECT id, CASE id % 3 WHEN 0 THEN repeat('"', 1 << 20) WHEN 1 THEN repeat(E'a\\r\\n"', 400000) ELSE repeat('😀', 700000) END AS body
           FROM generate_series($1::int, $1 + 5) AS id) AS rows`,
        [first],
      );
    await fill(0);
    const source = await fixture.open({ tables: ["long"] });
    const [part] = await copyAll(source);
    assert.ok(part);
    await fill(6);
    const [changes] = changesOf(await changesUntilNow(source, part.position, fixture.client), "public.long");
    assert.ok(changes);
    for (const change of [part.changes, changes]) {
      await readTyped(fixture.connection, { source, changes: change, table: "typed" });
      assert.equal(await fixture.connection.value("SELECT count(*) FROM typed WHERE md5(body) = hash"), 6n);
    }
  });
});
