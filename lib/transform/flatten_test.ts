import assert from "node:assert/strict";
import fc from "fast-check";
import type { LetterDraft } from "../change/dead_letter.ts";
import type { Column } from "../dataset/column.ts";
import { type ColumnType, types } from "../dataset/column_type.ts";
import { type Dataset, sourceTable } from "../dataset/dataset.ts";
import type { Projection } from "../dataset/projection.ts";
import { transactions } from "../domain/payments/transactions.ts";
import { literal } from "../engine/quote.ts";
import { withDatabase } from "../testing/temporary.ts";
import { changeRelation, transformFixture } from "../testing/transform_context.ts";
import { createFlatten } from "./flatten.ts";

const column = (name: string, type: ColumnType): Column => ({ name, type, nullable: true });

function dataset(projections: readonly Projection[]): Dataset {
  return {
    namespace: "test",
    name: "documents",
    source: { namespace: "public", table: "documents" },
    columns: [{ ...column("id", types.int64), nullable: false }, column("body", types.string)],
    key: ["id"],
    projections,
  };
}

const value = (name: string, type: ColumnType, path = [name]): Projection => ({
  column: column(name, type),
  from: "body",
  path,
});

interface Flattened {
  readonly values: readonly unknown[];
  readonly letters: readonly LetterDraft[];
}

/** Flattens documents with one projection. */
async function flattenOne(projection: Projection, ...bodies: readonly (string | null)[]): Promise<Flattened> {
  const { values, letters } = await flattenAll([projection], bodies);
  return { values: values.map((row) => (row as readonly unknown[])[0]), letters };
}

/** Flattens documents; a value is a list with the text of each projection's. */
function flattenAll(projections: readonly Projection[], bodies: readonly (string | null)[]): Promise<Flattened> {
  return withDatabase(async ({ connection }) => {
    const rows = bodies.map((body, index) => `(${index}::BIGINT, ${body === null ? "NULL" : literal(body)}::VARCHAR)`);
    const declared = dataset(projections);
    const input = await changeRelation(connection, {
      definition: sourceTable(declared),
      select: `SELECT * FROM (VALUES ${rows.join(", ")}) AS t(id, body)`,
    });
    const { context, letters } = transformFixture(connection);
    const output = await createFlatten(declared).apply(input, context);
    assert.equal(output.rows, bodies.length);
    const found = await connection.rows(
      `SELECT ${projections.map(({ column }) => `"${column.name}"::VARCHAR AS "${column.name}"`)} FROM ${output.name}
       ORDER BY _ordinal`,
    );
    return { values: found.map((row) => Object.values(row)), letters };
  });
}

Deno.test("a number keeps every digit, or becomes NULL with a letter", async () => {
  const { values, letters } = await flattenOne(
    value("n", types.decimal(20, 2)),
    '{"n": 12345678901234567.89}',
    '{"n": 1.50, "s": "1, 2: 3.5 \\" 4"}',
    '{"n": "7.10"}',
    '{"n": -1.5e3}',
    '{"n": 125e-2}',
    '{"n": 1.239}',
    '{"n": 125e-3}',
    '{"n": 0.10000000000000000001}',
    '{"n": "0x10"}',
    '{"n": 1e400}',
    '{"n": 12345678901234567890}',
  );
  assert.deepEqual(values.slice(0, 5), ["12345678901234567.89", "1.50", "7.10", "-1500.00", "1.25"]);
  assert.deepEqual(values.slice(5), [null, null, null, null, null, null]);
  assert.deepEqual(letters.map(({ ordinal }) => Number(ordinal)), [5, 6, 7, 8, 9, 10]);
  assert.deepEqual(letters[0], {
    ordinal: 5n,
    key: '{"id":5}',
    column: "n",
    reason: '$."n": not held exactly by DECIMAL(20,2)',
  });
});

Deno.test("an integer is not rounded", async () => {
  const { values } = await flattenOne(
    value("n", types.int32),
    '{"n": 2147483647}',
    '{"n": 3.0}',
    '{"n": 2147483648}',
    '{"n": 1.5}',
    '{"n": true}',
  );
  assert.deepEqual(values, ["2147483647", "3", null, null, null]);
  const wide = await flattenOne(value("n", types.int64), '{"n": 9223372036854775807}', '{"n": 9223372036854775808}');
  assert.deepEqual(wide.values, ["9223372036854775807", null]);
});

Deno.test("a string keeps its text, also where the document holds a number", async () => {
  const { values, letters } = await flattenOne(
    value("s", types.string),
    '{"s": "a\\u00e9\\n"}',
    '{"s": 1.50}',
    '{"s": 12345678901234567.89}',
    '{"s": "{not an object"}',
    '{"s": ""}',
    '{"s": {"a": 1}}',
    '{"s": ["a"]}',
  );
  assert.deepEqual(values, ["aé\n", "1.50", "12345678901234567.89", "{not an object", "", null, null]);
  assert.deepEqual(letters.map(({ reason }) => reason), [
    '$."s": expected scalar, found object',
    '$."s": expected scalar, found array',
  ]);
});

const malformed = fc.constantFrom("1.", "01", "NaN", "x", '"\\ud83d"', '"\u0001"', "");
const jsonValue = fc.oneof(
  { weight: 1, arbitrary: malformed },
  { weight: 8, arbitrary: fc.constantFrom("1.50", "0", "-0", "-0.0", "0.10", "1e3", "1E-7", "0.000001", "0.1234567") },
  {
    weight: 8,
    arbitrary: fc.constantFrom(
      "123456789012345",
      "12345678901234567890",
      "12345678901234.5",
      "123456789012.34",
      "-7.0",
    ),
  },
  {
    weight: 8,
    arbitrary: fc.constantFrom("true", "false", "null", '"true"', '"2024-02-29"', '"2023-02-29"', '"1.50"'),
  },
  {
    weight: 8,
    arbitrary: fc.constantFrom('""', '"{"', '"[1]"', '"a: 1.50, b"', '"\\u0041"', '"a\\"b"', '"é😀"', '" "'),
  },
  { weight: 2, arbitrary: fc.constantFrom("{}", "[]", '{"n": 1}', "[1.50]") },
  { weight: 8, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }).map(String) },
  {
    weight: 8,
    arbitrary: fc.string({ unit: "binary" }).map((text) => JSON.stringify(text.toWellFormed().replaceAll("\0", ""))),
  },
);
const jsonPair = fc.tuple(
  fc.constantFrom('"n"', '"i"', '"s"', '"d"', '"f"', '"b"', '"N"', '"\\u006e"', '"other"', '"a.b"', '""'),
  fc.constantFrom(":", ": ", " :\n\t"),
  jsonValue,
).map((parts) => parts.join(""));
const jsonPairs = fc.array(jsonPair, { minLength: 1, maxLength: 5 }).map((pairs) => pairs.join(", "));

Deno.test("a plain object gives what the same object gives beside a nested one", async () => {
  const projections = [
    value("n", types.decimal(20, 2)),
    value("i", types.int64),
    value("spelled", types.string, ["i"]),
    value("s", types.string),
    value("d", types.date),
    value("f", types.float64),
    value("b", types.boolean),
    value("dotted", types.string, ["a.b"]),
    { ...value("either", types.int64, ["n"]), otherPaths: [["i"]] },
    // A table of the engine has a column of this name of its own.
    value("rowid", types.int64, ["i"]),
  ];
  const pairs = fc.sample(jsonPairs, { numRuns: 4000, seed: 20_261_123 });
  const plain = await flattenAll(projections, pairs.map((text) => `{${text}}`));
  const nested = await flattenAll(projections, pairs.map((text) => `{${text}, "nested": {}}`));
  plain.values.forEach((found, index) => assert.deepEqual(found, nested.values[index], pairs[index]));
  assert.deepEqual(plain.letters, nested.letters);
  const filled = projections.map((_, place) => plain.values.filter((row) => (row as unknown[])[place] !== null).length);
  assert.ok(filled.every((count) => count > 20), `too few values to compare: ${filled}`);
});

Deno.test("what is not there is NULL without a letter", async () => {
  const { values, letters } = await flattenOne(
    value("v", types.int32, ["a", "b"]),
    null,
    "null",
    "{}",
    '{"a": null}',
    '{"a": {}}',
    '{"a": {"b": null}}',
  );
  assert.deepEqual(values, [null, null, null, null, null, null]);
  assert.deepEqual(letters, []);
});

Deno.test("only a row that may lack a value it had is looked at again", () =>
  withDatabase(async ({ connection }) => {
    const { projections = [] } = transactions;
    const body = (json: string) =>
      `SELECT ${
        transactions.columns.map(({ name }) =>
          `${name === "accountholderaccount" ? literal(json) : "NULL::VARCHAR"} AS ${name}`
        )
      }`;
    const input = await changeRelation(connection, {
      definition: sourceTable(transactions),
      select: [
        `{"accountId": "A-1", "branchId": "580344", "openingDate": "2023-01-07"}`,
        `{"cardNumber": "4111068191619373", "expDate": "10/28"}`,
        `{"expDate": {"year": 28}}`,
        "[]",
      ].map(body).join(" UNION ALL "),
    });
    const { context } = transformFixture(connection);
    const output = await createFlatten({ ...transactions, projections }).apply(input, context);
    const rows = await connection.rows(`SELECT _weir_suspect AS suspect FROM ${output.name} ORDER BY _ordinal`);
    assert.deepEqual(rows.map(({ suspect }) => suspect), [false, false, true, true]);
  }));

Deno.test("a malformed or misshapen document costs its own value and no other", async () => {
  const { values, letters } = await flattenOne(
    value("v", types.int32, ["a", "b"]),
    '{"a": {"b": 1}}',
    '{"a": {"b": 2}',
    "[]",
    '{"a": "text"}',
    '{"a": {"b": 3}}',
  );
  assert.deepEqual(values, ["1", null, null, null, "3"]);
  assert.deepEqual(letters.map(({ key, column, reason }) => [key, column, reason]), [
    ['{"id":1}', "v", "malformed JSON"],
    ['{"id":2}', "v", "$: expected object, found array"],
    ['{"id":3}', "v", '$."a": expected object, found string'],
  ]);
});

Deno.test("a key with a control character is read where it is escaped, and is malformed JSON where it is not", async () => {
  const { values, letters } = await flattenOne(value("v", types.float64, ["a\tb"]), '{"a\\tb": 1.5}', '{"a\tb": 1.5}');
  assert.deepEqual(values, ["1.5", null]);
  assert.deepEqual(letters.map(({ reason }) => reason), ["malformed JSON"]);
});

Deno.test("a count of what is absent is 0, of what is no array NULL with a letter", async () => {
  const count: Projection = { ...value("n", types.int32, ["list"]), take: "count" };
  const { values, letters } = await flattenOne(
    count,
    '{"list": [1, [2, 3]]}',
    "{}",
    null,
    '{"list": []}',
    '{"list": {}}',
    "{",
  );
  assert.deepEqual(values, ["2", "0", "0", "0", null, null]);
  assert.deepEqual(letters.map(({ reason }) => reason), ['$."list": expected array, found object', "malformed JSON"]);
});

Deno.test("dates, instants, booleans and floats are read only as they are spelled", async () => {
  const date = await flattenOne(
    value("d", types.date),
    '{"d":"2026-02-28"}',
    '{"d":"0044-03-15 BC"}',
    '{"d":"infinity"}',
  );
  assert.deepEqual(date.values, ["2026-02-28", null, null]);
  const instant = await flattenOne(
    value("t", types.timestamptz),
    '{"t":"2026-02-28T10:00:00.123456+02:00"}',
    '{"t":"2026-02-28T10:00:00Z"}',
    '{"t":"2026-02-28 10:00:00"}',
    '{"t":"2026-02-28T10:00:00.1234567Z"}',
    '{"t":"now"}',
  );
  assert.deepEqual(instant.values, [
    "2026-02-28 08:00:00.123456+00",
    "2026-02-28 10:00:00+00",
    "2026-02-28 10:00:00+00",
    null,
    null,
  ]);
  const local = await flattenOne(value("t", types.timestamp), '{"t":"2026-02-28T10:00"}', '{"t":"2026-02-28T10:00Z"}');
  assert.deepEqual(local.values, ["2026-02-28 10:00:00", null]);
  const flag = await flattenOne(value("b", types.boolean), '{"b":true}', '{"b":"false"}', '{"b":1}');
  assert.deepEqual(flag.values, ["true", "false", null]);
  const float = await flattenOne(value("f", types.float64), '{"f":0.1}', '{"f":1e999}', '{"f":NaN}', '{"f":-2e-3}');
  assert.deepEqual(float.values, ["0.1", null, null, "-0.002"]);
});

Deno.test("the relation has the columns it was defined with, and deletes pass", () =>
  withDatabase(async ({ connection }) => {
    const declared = dataset([
      value("n", types.int32),
      { ...value("c", types.int32, ["list"]), take: "count" },
    ]);
    const flatten = createFlatten(declared);
    const input = await changeRelation(connection, {
      definition: sourceTable(declared),
      select: `SELECT 1::BIGINT AS id, '{"n":1}' AS body, false AS _delete UNION ALL SELECT 2, NULL, true`,
    });
    const { context, letters } = transformFixture(connection);
    const output = await flatten.apply(input, context);
    assert.deepEqual(output.definition.columns.map(({ name }) => name), ["id", "body", "n", "c"]);
    assert.deepEqual(output.definition, flatten.define(input.definition));
    const described = await connection.rows(`DESCRIBE ${output.name}`);
    assert.deepEqual(described.map((row) => `${row["column_name"]} ${row["column_type"]}`), [
      "_ordinal BIGINT",
      "_delete BOOLEAN",
      "_replaces BOOLEAN",
      "id BIGINT",
      "body VARCHAR",
      "n INTEGER",
      "c INTEGER",
      "_weir_suspect BOOLEAN",
    ]);
    assert.deepEqual(await connection.rows(`SELECT id, n, c, _delete FROM ${output.name} ORDER BY id`), [
      { id: 1n, n: 1, c: 0, _delete: false },
      { id: 2n, n: null, c: null, _delete: true },
    ]);
    assert.deepEqual(letters, []);
  }));

Deno.test("a row that is read anew leaves those of the same event as they are", () =>
  withDatabase(async ({ connection }) => {
    const declared = dataset([value("n", types.int32)]);
    const moved = `SELECT 1::BIGINT AS id, '{"n": 4, "nested": {}}' AS body, true AS _delete, 7 AS _ordinal
      UNION ALL SELECT 2, '{"n": 5, "nested": {}}', false, 7 UNION ALL SELECT 3, '{"n": 6}', false, 8`;
    const input = await changeRelation(connection, { definition: sourceTable(declared), select: moved });
    const output = await createFlatten(declared).apply(input, transformFixture(connection).context);
    assert.deepEqual(await connection.rows(`SELECT id, n FROM ${output.name} ORDER BY id`), [
      { id: 1n, n: null },
      { id: 2n, n: 5 },
      { id: 3n, n: 6 },
    ]);
  }));

Deno.test("a projection follows its source: gone with its column, refused beside a column of its name", () => {
  const flatten = createFlatten(dataset([value("n", types.int32)]));
  const table = sourceTable(dataset([]));
  const without = { ...table, columns: table.columns.slice(0, 1) };
  assert.deepEqual(flatten.define(without), without);
  const taken = { ...table, columns: [...table.columns, column("n", types.string)] };
  assert.throws(() => flatten.define(taken), { name: "WeirError", kind: "unsupportedSchemaChange" });
});

Deno.test("a projection that no JSON scalar can fill is refused at once", () => {
  assert.throws(() => createFlatten(dataset([value("n", types.binary)])), TypeError);
  for (const key of ['a"b', "*", ""]) {
    assert.throws(() => createFlatten(dataset([value("n", types.string, [key])])), TypeError);
  }
});
