import assert from "node:assert/strict";
import fc from "fast-check";
import type { Column } from "../dataset/column.ts";
import { type ColumnType, types } from "../dataset/column_type.ts";
import { identifier, literal } from "../engine/quote.ts";
import { withDatabase } from "../testing/temporary.ts";
import { changeRelation } from "../testing/transform_context.ts";
import { maxTextCharacters, recordTextSql } from "./record_text.ts";
import { datasetText, embedTextFrom, type JsonShape, type TextDeclaration } from "./text_declaration.ts";

const column = (name: string, type: ColumnType): Column => ({ name, type, nullable: true });

interface Rows {
  readonly text: TextDeclaration;
  readonly columns: readonly Column[];
  /** SQL of each row's values. */
  readonly values: readonly (readonly string[])[];
}

/** The texts of rows, and their hashes. */
function textsOf({ text, columns, values }: Rows): Promise<readonly (readonly [unknown, unknown])[]> {
  return withDatabase(async ({ connection }) => {
    const definition = { namespace: "test", name: "records", columns, key: [] };
    const names = columns.map(({ name }) => identifier(name)).join(", ");
    const rows = values.map((row) => `(${row.join(", ")})`).join(", ");
    const { name } = await changeRelation(connection, {
      definition,
      select: `SELECT * FROM (VALUES ${rows}) AS t(${names})`,
    });
    const found = await connection.rows(`FROM (${recordTextSql(text, { columns, from: name })}) ORDER BY _ordinal`);
    return found.map((row) => [row["text"], row["hash"]] as const);
  });
}

const notes = embedTextFrom(["name", "notes"]);
const noteColumns = [column("name", types.string), column("notes", types.string)];

async function noteTexts(...rows: readonly (readonly [string | null, string | null])[]): Promise<unknown[]> {
  const values = rows.map((row) => row.map((value) => value === null ? "NULL::VARCHAR" : literal(value)));
  return (await textsOf({ text: notes, columns: noteColumns, values })).map(([text]) => text);
}

Deno.test("parts that are null, empty or blank are left out, and a record of nothing has a text too", async () => {
  const found = await noteTexts(["Ann", "kind"], [null, " kind "], ["Ann", ""], ["", "  "], [null, null], [
    "a\n",
    "é🙂",
  ]);
  assert.deepEqual(found, [
    "name: Ann. notes: kind",
    "notes: kind",
    "name: Ann",
    "Empty record",
    "Empty record",
    "name: a\n. notes: é🙂",
  ]);
});

Deno.test("a text is cut at its longest, between characters and not inside one", async () => {
  const lengths = [maxTextCharacters - 6, maxTextCharacters - 5, 100_000];
  const found = await noteTexts(
    ...lengths.map((length) => ["🙂".repeat(length), "cut off"] as const),
    ["a".repeat(9000), null],
  );
  const cut = `name: ${"🙂".repeat(maxTextCharacters - 6)}`;
  assert.deepEqual(found, [cut, cut, cut, `name: ${"a".repeat(maxTextCharacters - 6)}`]);
});

Deno.test("every type has its text, and a column that has left the source no part", async () => {
  const columns = [
    column("flag", types.boolean),
    column("price", types.decimal(12, 2)),
    column("day", types.date),
    column("at", types.timestamptz),
    column("tags", types.list(types.string)),
  ];
  const values = [
    ["true", "1.50", "DATE '2026-02-03'", "TIMESTAMPTZ '2026-02-03 04:05:06+02'", "['a', NULL, 'b']"],
    ["NULL", "NULL", "NULL", "NULL", "[]::VARCHAR[]"],
  ];
  const text = embedTextFrom(["flag", "gone", "price", "day", "at", "tags"], "Nothing");
  assert.deepEqual((await textsOf({ text, columns, values })).map(([text]) => text), [
    "flag: true. price: 1.50. day: 2026-02-03. at: 2026-02-03 02:05:06+00. tags: a, b",
    "Nothing",
  ]);
});

Deno.test("a label and a column of any name stand in the text as they are", async () => {
  const name = `o'b"r; --`;
  const found = await textsOf({
    text: embedTextFrom([name]),
    columns: [column(name, types.string)],
    values: [["'x'"]],
  });
  assert.deepEqual(found.map(([text]) => text), [`${name}: x`]);
});

Deno.test("equal texts have equal hashes and others other ones, and a deleted row has neither", async () => {
  const columns = [column("name", types.string), column("other", types.int32), column("_delete", types.boolean)];
  const values = [["'a'", "1", "false"], ["'a'", "2", "false"], ["'b'", "1", "false"], ["'a'", "1", "true"]];
  const found = await textsOf({ text: embedTextFrom(["name"]), columns, values });
  const hashes = found.map(([, hash]) => hash);
  assert.match(String(hashes[0]), /^[0-9a-f]{16}$/);
  assert.equal(hashes[0], hashes[1]);
  assert.notEqual(hashes[0], hashes[2]);
  assert.deepEqual(found[3], [null, null]);
});

const shape: JsonShape = {
  values: [{ path: ["street"], column: "street" }, { path: ["place", "city"], column: "city" }],
  arrays: [{ path: ["cards"], elements: [["brand"], ["bank", "name"]] }],
};
const documents: TextDeclaration = {
  version: "1",
  emptyText: "Nothing",
  parts: [{ column: "body", label: "Body", json: shape }],
};

async function documentTexts(bodies: readonly (string | null)[]): Promise<unknown[]> {
  const values = bodies.map((body) => [body === null ? "NULL::VARCHAR" : literal(body)]);
  return (await textsOf({ text: documents, columns: [column("body", types.string)], values })).map(([text]) => text);
}

Deno.test("a document stands in the text as its values, and one that is none as it is", async () => {
  const found = await documentTexts([
    '{"cards": [{"brand": "Visa", "bank": {"name": "A"}}, {"brand": "Amex"}], "street": "1 Main", "place": {"city": "Rome"}}',
    '{"street": "1 Main", "cards": []}',
    "{}",
    '{"street": ',
    null,
  ]);
  assert.deepEqual(found, [
    "Body: 1 Main, Rome; Visa A; Amex",
    "Body: 1 Main",
    "Nothing",
    'Body: {"street":',
    "Nothing",
  ]);
});

Deno.test("no document, of whatever shape, fails the statement or leaves a record without a text", async () => {
  const key = fc.constantFrom("street", "place", "city", "cards", "brand", "bank", "name");
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof({ maxDepth: 4 }, fc.string(), fc.double(), fc.constantFrom(null, true), tie("list"), tie("object")),
    list: fc.array(tie("value"), { maxLength: 3 }),
    object: fc.dictionary(key, tie("value"), { maxKeys: 4 }),
  }));
  const generated = fc.sample(fc.oneof(value, fc.json()), { seed: 3, numRuns: 400 })
    .map((found) => typeof found === "string" ? found.replaceAll("\0", "") : JSON.stringify(found));
  const found = await documentTexts([
    ...generated,
    ...generated.map((body) => body.slice(0, -1)),
    '{"street": "a", "street": "b"}',
    '{"street": "\\ud800"}',
    '{"street": "\\u0000"}',
    '{"street": 1e400}',
    `{"street": ${"[".repeat(3000)}${"]".repeat(3000)}}`,
  ]);
  assert.equal(found.length, 2 * generated.length + 5);
  for (const text of found) {
    assert.ok(typeof text === "string" && text.length > 0 && text.length <= 2 * maxTextCharacters);
  }
});

Deno.test("a column of bytes, no column and the same column twice are refused", () => {
  const columns = [column("name", types.binary)];
  assert.throws(() => recordTextSql(embedTextFrom(["name"]), { columns, from: "t" }), { kind: "configuration" });
  assert.throws(() => embedTextFrom([]), TypeError);
  assert.throws(() => embedTextFrom(["a", "a"]), TypeError);
});

Deno.test("a dataset without an empty text or without a column in the text has no declaration", () => {
  const dataset = {
    namespace: "test",
    name: "records",
    source: { namespace: "public", table: "records" },
    columns: [{ ...column("b", types.string), text: { label: "B", order: 2 } }, {
      ...column("a", types.string),
      text: { label: "A", order: 1 },
    }],
    key: [],
  };
  assert.equal(datasetText(dataset), undefined);
  assert.equal(datasetText({ ...dataset, emptyText: "Nothing", columns: noteColumns }), undefined);
  assert.deepEqual(datasetText({ ...dataset, emptyText: "Nothing" }), {
    version: "1",
    emptyText: "Nothing",
    parts: [{ column: "a", label: "A" }, { column: "b", label: "B" }],
  });
});
