import assert from "node:assert/strict";
import type { Column } from "../dataset/column.ts";
import { type ColumnType, types } from "../dataset/column_type.ts";
import type { TemplatePart } from "../dataset/text_template.ts";
import { identifier } from "../engine/quote.ts";
import { withDatabase } from "../testing/temporary.ts";
import { changeRelation } from "../testing/transform_context.ts";
import { recordTextSql } from "./record_text.ts";

const column = (name: string, type: ColumnType): Column => ({ name, type, nullable: true });
const columns = [
  column("kind", types.string),
  column("other_kind", types.string),
  column("price", types.decimal(12, 2)),
  column("at", types.timestamptz),
  column("born", types.date),
  column("document", types.string),
];

/** The texts that parts give rows of SQL values, in the order of `columns`. */
function textsOf(parts: readonly TemplatePart[], rows: readonly (readonly string[])[]): Promise<unknown[]> {
  return withDatabase(async ({ connection }) => {
    const definition = { namespace: "test", name: "records", columns, key: [] };
    const names = columns.map(({ name }) => identifier(name)).join(", ");
    const values = rows.map((row) => `(${row.join(", ")})`).join(", ");
    const { name } = await changeRelation(connection, {
      definition,
      select: `SELECT * FROM (VALUES ${values}) AS t(${names})`,
    });
    const declaration = { version: "1", emptyText: "Nothing", parts };
    const found = await connection.rows(
      `FROM (${recordTextSql(declaration, { columns, from: name })}) ORDER BY _ordinal`,
    );
    return found.map((row) => row["text"]);
  });
}

const nothing = [
  "NULL::VARCHAR",
  "NULL::VARCHAR",
  "NULL::DECIMAL(12, 2)",
  "NULL::TIMESTAMPTZ",
  "NULL::DATE",
  "NULL::VARCHAR",
];
const row = (values: Readonly<Record<string, string>>) =>
  columns.map(({ name }, index) => values[name] ?? nothing[index]!);

Deno.test("values of a part are joined, empty ones and columns that are gone left out, and a part without any too", async () => {
  const parts: TemplatePart[] = [
    { label: "Kind", values: [{ firstOf: ["gone", "kind", "other_kind"] }, { column: "price" }] },
    { label: "Price", separator: " ", values: [{ column: "price" }, { column: "other_kind" }] },
    { label: "Gone", values: [{ column: "gone" }, { firstOf: ["gone"] }] },
  ];
  const found = await textsOf(parts, [
    row({ kind: "' a '", other_kind: "'b'", price: "1.50" }),
    row({ kind: "''", other_kind: "'b'" }),
    row({ price: "2" }),
    row({ kind: "'  '" }),
    nothing,
  ]);
  assert.deepEqual(found, [
    "Kind: a, 1.50. Price: 1.50 b",
    "Kind: b. Price: b",
    "Kind: 2.00. Price: 2.00",
    "Nothing",
    "Nothing",
  ]);
});

Deno.test("an instant gives its parts in UTC, and a date its own", async () => {
  const parts: TemplatePart[] = [
    {
      label: "Time",
      separator: " ",
      values: [{ column: "at", take: "weekday" }, { column: "at", take: "part of day" }, {
        column: "at",
        take: "month",
      }],
    },
    { label: "Born", values: [{ column: "born", take: "year" }] },
  ];
  const times = ["00:00:00+00", "05:59:59+00", "07:00:00+02", "06:00:00+00", "12:00:00+00", "23:59:59.9+00"];
  const found = await textsOf(parts, [
    ...times.map((time) => row({ at: `TIMESTAMPTZ '2026-02-03 ${time}'` })),
    row({ born: "DATE '1999-12-31'" }),
    row({ at: "TIMESTAMPTZ '1969-07-20 20:17:00+00'", born: "DATE '0812-01-01'" }),
  ]);
  assert.deepEqual(found, [
    ...["night", "night", "night", "morning", "afternoon", "evening"].map((part) => `Time: Tuesday ${part} February`),
    "Born: 1999",
    "Time: Sunday evening July. Born: 812",
  ]);
});

Deno.test("a number gives the text of its band, whose limit belongs to the next", async () => {
  const bands = [{ below: 10, text: "small" }, { below: 100.5, text: "it's middling" }];
  const found = await textsOf(
    [{ label: "Size", values: [{ column: "price", bands, above: "large" }] }],
    ["-5", "9.99", "10", "100.49", "100.5", "99999.99"].map((price) => row({ price: `${price}::DECIMAL(12, 2)` }))
      .concat([nothing]),
  );
  assert.deepEqual(found, [
    "Size: small",
    "Size: small",
    "Size: it's middling",
    "Size: it's middling",
    "Size: large",
    "Size: large",
    "Nothing",
  ]);
});

Deno.test("elements of a document's arrays stand in a row, and a document that is none gives no part", async () => {
  const elements = [{ path: ["accounts"], keys: ["type", "bank"] }, { path: ["held", "cards"], keys: ["brand"] }];
  const documents = [
    '{"accounts": [{"bank": "A", "type": "Savings", "number": 7}, {"bank": "B"}], "held": {"cards": [{"brand": "Visa"}]}}',
    '{"accounts": [], "held": {}}',
    '{"accounts": ',
    "[1]",
    '"text"',
    '{"accounts": {"type": "no list"}, "held": [{"brand": "Visa"}]}',
  ];
  const found = await textsOf(
    [
      { label: "Accounts", values: [{ column: "document", elements }] },
      { label: "Banks", values: [{ column: "document", elements: [{ path: ["accounts"], keys: ["bank"] }] }] },
    ],
    documents.map((document) => row({ document: `'${document}'` })),
  );
  const first = "Accounts: Savings A; B; Visa. Banks: A; B";
  assert.deepEqual(found, [first, ...documents.slice(1).map(() => "Nothing")]);
});
