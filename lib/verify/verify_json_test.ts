import assert from "node:assert/strict";
import { types } from "../dataset/column_type.ts";
import { type Dataset, sourceTable, type TableDefinition } from "../dataset/dataset.ts";
import type { Projection } from "../dataset/projection.ts";
import type { Connection } from "../engine/connection.ts";
import { identifier, literal } from "../engine/quote.ts";
import { PostgresConnection } from "../source/postgres/connection.ts";
import { currentRowsOf } from "../testing/copy_out.ts";
import { withDatabase } from "../testing/temporary.ts";
import { changeRelation, transformFixture } from "../testing/transform_context.ts";
import { withPostgres } from "../testing/with_postgres.ts";
import { createChildRows } from "../transform/child_rows.ts";
import { createFlatten } from "../transform/flatten.ts";
import { verifyTable } from "./verify.ts";

const project = (name: string, type: Projection["column"]["type"], path = [name]): Projection => ({
  column: { name, type, nullable: true },
  from: "document",
  path,
});

const documents: Dataset = {
  namespace: "n",
  name: "documents",
  source: { namespace: "public", table: "documents" },
  key: ["id"],
  columns: [
    { name: "id", type: types.int64, nullable: false, sourceType: "bigint" },
    { name: "document", type: types.string, nullable: true, sourceType: "jsonb" },
  ],
  projections: [
    project("text", types.string),
    project("flag", types.boolean),
    project("small", types.int32),
    project("large", types.int64),
    project("double", types.float64),
    project("money", types.decimal(18, 2)),
    project("fraction", types.decimal(4, 4)),
    project("day", types.date),
    project("local", types.timestamp),
    project("instant", types.timestamptz),
    project("deep", types.string, ["a", "b c"]),
    { ...project("spelled", types.string), otherPaths: [["speled"], ["a", "spelled"]] },
    { ...project("counted", types.int32), otherPaths: [["conted"]] },
    { ...project("items", types.int32), take: "count" },
  ],
  children: [{
    name: "items",
    from: "document",
    columns: [
      { name: "kind", type: types.string, nullable: true },
      { name: "code", type: types.string, nullable: true },
      { name: "price", type: types.decimal(18, 2), nullable: true },
      { name: "since", type: types.date, nullable: true },
    ],
    arrays: [
      {
        path: ["items"],
        columns: {
          kind: { constant: "item" },
          code: { path: ["code"], otherPaths: [["cod"]] },
          price: { path: ["price"] },
          since: { path: ["since"] },
        },
      },
      { path: ["more", "items"], columns: { kind: { constant: "it's more" }, code: { path: ["id", "code"] } } },
    ],
  }],
};

/** One value under every scalar's name, so that every type meets every value. */
const everywhere = (json: string) =>
  `{${(documents.projections ?? []).map(({ path }) => `"${path[0]}": ${json}`).join(", ")}}`;

const cases: readonly string[] = [
  "null",
  '"a text"',
  "[1, 2]",
  '{"speled": "x", "conted": 5, "items": [{"cod": "c"}, {"code": null, "cod": 7}, {"code": "a", "cod": "b"}]}',
  '{"spelled": null, "speled": 5, "counted": "x", "conted": 7, "items": [{"code": {}, "cod": "c"}, {"code": [], "cod": {}}]}',
  '{"spelled": {}, "speled": "y", "counted": 1, "conted": 2, "a": 5}',
  '{"spelled": [], "speled": {}, "counted": 1.5, "conted": "x", "a": {"spelled": "z"}}',
  '{"spelled": [], "speled": {}, "a": "not an object"}',
  "{}",
  ...[
    "null",
    '""',
    '"plain"',
    "true",
    '"false"',
    "0",
    "-0",
    "7",
    "7.0",
    "7.00",
    "1.5",
    "12.30",
    "1.239",
    '"12.30"',
    '"1e3"',
    "1.5e2",
    "2147483648",
    "9223372036854775807",
    "9223372036854775808",
    "12345678901234567.89",
    "0.12345678901234567891",
    "1e400",
    "0.0001",
    "0.00001",
    '"2024-02-29"',
    '"2023-02-29"',
    '"2024-13-01"',
    '"2024-6-1"',
    '"20240601"',
    '"2024-06-01T12:30"',
    '"2024-06-01 12:30:00.123456"',
    '"2024-06-01T12:30:00.1234567"',
    '"2024-06-01T23:30:00+02:00"',
    '"2024-06-01T23:30:00Z"',
    '"infinity"',
    '"NaN"',
    '"0x10"',
    '" 7"',
    '"{\\"a\\": 1}"',
    '"[1]"',
    "[]",
    "{}",
    "[{}]",
    '"\\ufeffmark"',
    '"tab\\tand \\"quote\\""',
  ].map(everywhere),
  '{"a": {"b c": "deep"}, "items": [{"code": "x", "price": 1.10, "since": "2024-01-31"}, null, {"code": 1.50}, "odd", [1]]}',
  '{"a": {"b c": {"x": 1}}, "items": [], "more": {"items": [{"id": {"code": "m"}}, {"id": 5}, {}]}}',
  '{"items": [{"code": {"a": 1}, "price": 1.005, "since": "2024-02-30"}], "more": {"items": [{"id": {"code": true}}]}}',
  '{"items": {"code": "not an array"}, "more": {"items": [{"id": {"code": "still"}}]}}',
  '{"more": []}',
];

/** The lake side, through the transforms, from the documents as PostgreSQL prints them. */
async function transformed(connection: Connection, texts: readonly (string | null)[]) {
  const values = texts.map((text, id) => `(${id}::BIGINT, ${text === null ? "NULL" : literal(text)}::VARCHAR)`);
  const definition: TableDefinition = sourceTable(documents);
  const select = `SELECT * FROM (VALUES ${values.join(", ")}) AS v (id, document)`;
  const input = await changeRelation(connection, { definition, select });
  const { context, letters } = transformFixture(connection);
  const main = await createFlatten(documents).apply(input, context);
  const mainLetters = letters.splice(0).length;
  const [items] = documents.children ?? [];
  assert.ok(items);
  return { main, mainLetters, child: await createChildRows(items).apply(input, context) };
}

Deno.test("what the transforms read out of JSON is what PostgreSQL's own operators read", async () => {
  await withPostgres(({ url }) =>
    withDatabase(async ({ connection, folder }) => {
      const source = await PostgresConnection.open(url);
      await source.run("CREATE TABLE public.documents (id bigint PRIMARY KEY, document jsonb)");
      const values = [...cases.map(literal), "NULL"].map((json, id) => `(${id}, ${json})`);
      await source.run(`INSERT INTO public.documents VALUES ${values.join(", ")}`);
      const stored = await source.rows<{ document: string | null }>(
        "SELECT document::text AS document FROM public.documents ORDER BY id",
      );
      const lake = await transformed(connection, stored.map(({ document }) => document));
      const point = currentRowsOf(source);
      const verify = (definition: TableDefinition, scan: string) =>
        verifyTable({ point, dataset: documents, definition, scan, connection, folder });
      const from = (name: string) => `FROM ${identifier(name)}`;

      const main = await verify(lake.main.definition, from(lake.main.name));
      const names = main.mismatches.map(({ key }) => cases[Number(key["id"])]);
      assert.deepEqual([main.missing, main.extra, main.different, names], [0, 0, 0, []]);
      assert.equal(main.rows, values.length);
      assert.equal(main.deadLettered, lake.mainLetters);

      const child = await verify(lake.child.definition, from(lake.child.name));
      assert.deepEqual([child.missing, child.extra, child.different, child.mismatches], [0, 0, 0, []]);
      assert.equal(child.rows, lake.child.rows);
      const wrong = `SELECT * REPLACE (nullif(code, 'x') AS code) ${from(lake.child.name)} WHERE ordinal <> 1`;
      const planted = await verify(lake.child.definition, wrong);
      assert.equal(planted.different, 1);
      assert.ok(planted.missing > 0);
      await source.close();
    })
  );
});
