import assert from "node:assert/strict";
import { type ColumnType, duckdbType, types } from "../dataset/column_type.ts";
import type { Dataset } from "../dataset/dataset.ts";
import { oldTexts, oldTextSql } from "../dataset/row_retention.ts";
import type { Connection } from "../engine/connection.ts";
import { identifier, literal } from "../engine/quote.ts";
import { PostgresConnection } from "../source/postgres/connection.ts";
import { currentRowsOf } from "../testing/copy_out.ts";
import { withDatabase } from "../testing/temporary.ts";
import { withPostgres } from "../testing/with_postgres.ts";
import { type TableVerification, verifyTable } from "./verify.ts";

/** A column, its values as PostgreSQL and as DuckDB spell them, and a value the lake might hold by mistake. */
interface Specimen {
  readonly source: string;
  readonly type: ColumnType;
  readonly values: readonly (readonly [source: string, lake: string])[];
  readonly wrong: string;
}

const refused = "NULL";
const text = (value: string): readonly [string, string] => [literal(value), literal(value)];
const same = (value: string): readonly [string, string] => [value, value];

const specimens: readonly Specimen[] = [
  { source: "boolean", type: types.boolean, values: [same("true"), same("false")], wrong: "NULL" },
  { source: "smallint", type: types.int32, values: [same("-32768"), same("0")], wrong: "1" },
  { source: "integer", type: types.int32, values: [same("-2147483648"), same("7")], wrong: "8" },
  {
    source: "bigint",
    type: types.int64,
    values: [same("9223372036854775807"), same("-1")],
    wrong: "9223372036854775806",
  },
  {
    source: "real",
    type: types.float32,
    values: [["'1.1'", "'1.1'::FLOAT"], ["'NaN'", "'nan'"], ["'-0'", "'-0'::FLOAT"], ["'-Infinity'", "'-inf'"]],
    wrong: "'1.1000001'::FLOAT",
  },
  {
    source: "double precision",
    type: types.float64,
    values: [["'0.1'", "0.1"], ["'NaN'", "'nan'"], ["'-0'", "'-0'"], ["'5e-324'", "'5e-324'"]],
    wrong: "0",
  },
  {
    source: "numeric(12,2)",
    type: types.decimal(12, 2),
    values: [same("1.20"), same("-9999999999.99"), ["'NaN'", refused], same("0")],
    wrong: "1.21",
  },
  { source: "numeric(3,3)", type: types.decimal(3, 3), values: [same("0.5"), same("-0.001")], wrong: "0.501" },
  { source: "numeric", type: types.string, values: [text("1.2300"), text("NaN"), text("Infinity")], wrong: "'1.23'" },
  {
    source: "text",
    type: types.string,
    values: [
      text("plain"),
      text(""),
      ["NULL", "NULL"],
      text('say "hi", 3:abc-'),
      ["E'line\\r\\nfeed\\t\\u0001'", "'line' || chr(13) || chr(10) || 'feed' || chr(9) || chr(1)"],
      ["E'\\uFEFFmark \\U0001F600 e\\u0301'", "chr(65279) || 'mark ' || chr(128512) || ' e' || chr(769)"],
      ["repeat('é', 300000)", "repeat('é', 300000)"],
      ["repeat('x', 2000000)", refused],
    ],
    wrong: "'plain '",
  },
  { source: "char(4)", type: types.string, values: [text("a   "), text("abcd")], wrong: "'a'" },
  { source: "inet", type: types.string, values: [text("192.168.0.1"), text("10.0.0.0/8")], wrong: "'192.168.0.1/32'" },
  { source: "uuid", type: types.string, values: [text("0190a0b0-0000-7000-8000-000000000001")], wrong: "''" },
  { source: "jsonb", type: types.string, values: [text('{"a": 1.10, "b": [null, ""]}'), text("null")], wrong: "'{}'" },
  {
    source: "pair",
    type: types.string,
    values: [["ROW(NULL, NULL)", "'(,)'"], ["ROW(1, '')", `'(1,"")'`]],
    wrong: "NULL",
  },
  {
    source: "bytea",
    type: types.binary,
    values: [["'\\x00ff10'", "'\\x00\\xff\\x10'::BLOB"], ["''", "''::BLOB"], [
      "decode(repeat('00', 600000), 'hex')",
      refused,
    ]],
    wrong: "'\\x00\\xff\\x11'::BLOB",
  },
  {
    source: "date",
    type: types.date,
    values: [same("'2024-02-29'"), same("'0001-01-01'"), ["'infinity'", refused], ["'0044-03-15 BC'", refused]],
    wrong: "'2024-03-01'",
  },
  {
    source: "timestamp",
    type: types.timestamp,
    values: [same("'1969-12-31 23:59:59.999999'"), same("'9999-12-31 23:59:59.999999'"), ["'10000-01-01'", refused]],
    wrong: "'1969-12-31 23:59:59.999998'",
  },
  {
    source: "timestamptz",
    type: types.timestamptz,
    values: [same("'2024-06-01 12:00:00.000001+02'"), ["'-infinity'", refused], same("'0001-01-01 00:00:00+00'")],
    wrong: "'2024-06-01 12:00:00.000001+01'",
  },
  {
    source: "integer[]",
    type: types.list(types.int32),
    values: [["'{1,NULL,-3}'", "[1,NULL,-3]"], ["'{}'", "[]"], ["NULL", "NULL"], ["'{{1,2},{3,4}}'", refused]],
    wrong: "[1,-3]",
  },
  {
    source: "text[]",
    type: types.list(types.string),
    values: [[`ARRAY['a,b', NULL, '', 'NULL', '1:x']`, "['a,b', NULL, '', 'NULL', '1:x']"]],
    wrong: "['a,b', '', '', 'NULL', '1:x']",
  },
  {
    source: "date[]",
    type: types.list(types.date),
    values: [["'{2024-01-01}'", "[DATE '2024-01-01']"], ["'{2024-01-01,infinity}'", refused]],
    wrong: "[DATE '2024-01-02']",
  },
];

const rowCount = 8;

const dataset: Dataset = {
  namespace: "n",
  name: "specimens",
  source: { namespace: "public", table: "Specimens" },
  key: ["id", "part key"],
  columns: [
    { name: "id", type: types.int64, nullable: false, sourceType: "bigint" },
    { name: "part key", type: types.string, nullable: false, sourceType: "text" },
    ...specimens.map(({ type, source }, index) => ({ name: `c${index}`, type, nullable: true, sourceType: source })),
  ],
};

function row(index: number, side: 0 | 1): string {
  const values = specimens.map(({ values }) => (values[index % values.length] as readonly [string, string])[side]);
  return `(${index}, ${literal(`k,${index}`)}, ${values.join(", ")})`;
}

const allRows = (side: 0 | 1) => Array.from({ length: rowCount }, (_, index) => row(index, side)).join(",\n");

async function fillSource(source: PostgresConnection): Promise<void> {
  await source.run(`CREATE TYPE public.pair AS (a int, b text)`);
  const columns = specimens.map(({ source }, index) => `c${index} ${source === "pair" ? "public.pair" : source}`);
  await source.run(
    `CREATE TABLE public."Specimens" (id bigint, "part key" text, ${columns.join(", ")}, PRIMARY KEY (id, "part key"))`,
  );
  await source.run(`INSERT INTO public."Specimens" VALUES ${allRows(0)}`);
}

async function fillLake(connection: Connection): Promise<void> {
  const columns = dataset.columns.map(({ name, type }) => `${identifier(name)} ${duckdbType(type)}`);
  await connection.run(`CREATE OR REPLACE TABLE lake (${columns.join(", ")})`);
  await connection.run(`INSERT INTO lake VALUES ${allRows(1)}`);
}

/** Expected count of refused values: those that the table above gives no lake value although the source has one. */
function refusedValues(): number {
  const rows = Array.from({ length: rowCount }, (_, index) => index);
  return specimens.flatMap(({ values }) => rows.map((index) => values[index % values.length]))
    .filter((value) => value?.[1] === refused && value[0] !== "NULL").length;
}

async function withBothSides(
  body: (
    context: {
      readonly lake: Connection;
      readonly verify: () => Promise<TableVerification>;
    },
  ) => Promise<void>,
): Promise<void> {
  await withPostgres(({ url }) =>
    withDatabase(async ({ connection, folder }) => {
      const source = await PostgresConnection.open(url);
      const verify = () =>
        verifyTable({
          point: currentRowsOf(source),
          dataset,
          definition: dataset,
          scan: "FROM lake",
          connection,
          folder,
          maxValueBytes: 1_000_000,
        });
      try {
        await fillSource(source);
        await body({ lake: connection, verify });
      } finally {
        await source.close();
      }
    })
  );
}

const counts = ({ rows, missing, extra, different }: TableVerification) => ({ rows, missing, extra, different });
const equal = { rows: rowCount, missing: 0, extra: 0, different: 0 };

Deno.test("verification compares every type from PostgreSQL's own spelling and finds what was planted", async (test) => {
  await withBothSides(async ({ lake, verify }) => {
    await test.step("equal tables are equal, refused values are counted apart", async () => {
      await fillLake(lake);
      const found = await verify();
      assert.deepEqual(counts(found), equal, JSON.stringify(found.mismatches));
      assert.equal(found.deadLettered, refusedValues());
    });
    for (const [index, { source, wrong }] of specimens.entries()) {
      await test.step(`one wrong ${source} is found`, async () => {
        await fillLake(lake);
        await lake.run(`UPDATE lake SET c${index} = ${wrong} WHERE id = 0`);
        const found = await verify();
        assert.deepEqual(counts(found), { ...equal, different: 1 });
        assert.deepEqual(found.mismatches, [{ kind: "different", key: { id: "0", "part key": "k,0" } }]);
      });
    }
    const plants: readonly (readonly [string, string, Partial<TableVerification>])[] = [
      ["a missing row", "DELETE FROM lake WHERE id = 3", { missing: 1 }],
      ["an extra row", `INSERT INTO lake (id, "part key") VALUES (99, 'k')`, { extra: 1 }],
      ["a row that stands twice", "INSERT INTO lake FROM lake WHERE id = 2", { extra: 1 }],
      ["a row that stands twice, once wrong", "INSERT INTO lake SELECT * REPLACE (NULL AS c0) FROM lake WHERE id = 2", {
        extra: 1,
      }],
      ["a swapped key", `UPDATE lake SET id = 5 - id WHERE id IN (2, 3)`, { missing: 2, extra: 2 }],
      [
        "rows whose values are exchanged",
        "UPDATE lake SET c9 = CASE id WHEN 0 THEN '' ELSE 'plain' END WHERE id IN (0, 1)",
        { different: 2 },
      ],
      ["NULL in the place of an empty text", "UPDATE lake SET c9 = NULL WHERE c9 = ''", { different: 1 }],
      ["an empty text in the place of NULL", "UPDATE lake SET c9 = '' WHERE id = 2", { different: 1 }],
      [
        "0 in the place of -0",
        "CREATE OR REPLACE TABLE lake AS SELECT * REPLACE (if(id IN (2, 6), 0, c5) AS c5) FROM lake",
        { different: 2 },
      ],
      ["a value in the place of a refused one", "UPDATE lake SET c16 = '9999-12-31' WHERE id = 2", { different: 1 }],
      ["an empty lake", "TRUNCATE lake", { missing: rowCount }],
    ];
    for (const [name, statement, expected] of plants) {
      await test.step(`${name} is found`, async () => {
        await fillLake(lake);
        await lake.run(statement);
        assert.deepEqual(counts(await verify()), { ...equal, ...expected });
      });
    }
  });
});

Deno.test("a source row whose key the lake cannot hold is dead-lettered whole, not missing", async () => {
  await withPostgres(({ url, client }) =>
    withDatabase(async ({ connection, folder }) => {
      const source = await PostgresConnection.open(url);
      await source.run("CREATE TABLE public.days (day date PRIMARY KEY)");
      await source.run("INSERT INTO public.days VALUES ('infinity'), ('2024-01-01')");
      const days: Dataset = {
        namespace: "n",
        name: "days",
        source: { namespace: "public", table: "days" },
        key: ["day"],
        columns: [{ name: "day", type: types.date, nullable: false, sourceType: "date" }],
      };
      const point = currentRowsOf(source);
      const request = { point, dataset: days, definition: days, connection, folder };
      const found = await verifyTable({ ...request, scan: "SELECT DATE '2024-01-01' AS day" });
      assert.deepEqual(found, { rows: 1, missing: 0, extra: 0, different: 0, deadLettered: 1, mismatches: [] });
      const unkeyed = { ...days, key: [] };
      const counted = await verifyTable({
        ...request,
        dataset: unkeyed,
        definition: unkeyed,
        scan: "SELECT unnest([DATE '2024-01-01', DATE '2024-01-01', NULL]) AS day",
      });
      assert.deepEqual(counts(counted), { rows: 2, missing: 0, extra: 1, different: 0 });
      assert.equal((await verifyTable({ ...request, scan: undefined })).missing, 1);

      await source.run(
        "INSERT INTO public.days VALUES ('-infinity'), ('0044-03-15 BC'), ('2023-12-31'), ('0001-01-01')",
      );
      const texts = oldTexts({ column: "day", formatter: "yyyy-MM-dd", keepMs: 0 }, Date.UTC(2024, 0, 1));
      const compared = { without: { column: "day", texts } };
      const kept = await verifyTable({ ...request, compared, scan: "SELECT DATE '2024-01-01' AS day" });
      assert.deepEqual(counts(kept), { rows: 1, missing: 0, extra: 0, different: 0 }, "older rows have left the lake");
      const partly = await verifyTable({
        ...{ ...request, compared, dataset: unkeyed, definition: unkeyed },
        scan: "SELECT unnest([DATE '2022-05-05', DATE '2024-01-02', NULL, NULL, NULL]) AS day",
      });
      assert.deepEqual(counts(partly), { rows: 4, missing: 1, extra: 1, different: 0 }, "newer ones are compared");

      const underscored = oldTexts({ column: "day", formatter: "yyyy_MM_dd", keepMs: 0 }, Date.UTC(2024, 0, 1));
      const isOld = oldTextSql("t", underscored, types.string);
      const { rows } = await client.query(
        `SELECT t, ${isOld} AS old FROM (VALUES ('2023_12_31'), ('2023x12x31'), ('2023-12-31')) AS texts (t)`,
      );
      assert.deepEqual(
        rows.map(({ old }) => old),
        [true, false, false],
        "what stays in the lake stays in the comparison",
      );
      await source.close();
    })
  );
});
