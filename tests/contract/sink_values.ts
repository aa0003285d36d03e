/** Values that break careless writers, through every sink and back, compared inside DuckDB by their row text. */
import assert from "node:assert/strict";
import { type ColumnType, duckdbType, type ScalarType, types } from "../../lib/dataset/column_type.ts";
import type { TableDefinition } from "../../lib/dataset/dataset.ts";
import type { Connection } from "../../lib/engine/connection.ts";
import { identifier } from "../../lib/engine/quote.ts";
import type { Sink } from "../../lib/change/sink.ts";
import type { LiteralRow } from "../../lib/testing/relations.ts";
import { rowHash } from "../../lib/verify/row_text.ts";
import { position, type SinkFormat, withSink } from "./sink_fixture.ts";

/** SQL literals of one type, NULL aside. */
interface Values {
  readonly type: ScalarType;
  readonly values: readonly string[];
}

const scalars: Readonly<Record<string, Values>> = {
  flag: { type: types.boolean, values: ["true", "false"] },
  small: { type: types.int32, values: ["0", "-1", "2147483647", "-2147483648"] },
  large: { type: types.int64, values: ["0", "9223372036854775807", "-9223372036854775808", "9007199254740993"] },
  single: { type: types.float32, values: ["'nan'", "'-0'::FLOAT", "'inf'", "'-inf'", "'1.4e-45'", "'3.4028235e38'"] },
  double: {
    type: types.float64,
    values: ["'nan'", "'-0'::DOUBLE", "'inf'", "0.1", "'5e-324'", "'-1.7976931348623157e308'"],
  },
  money: { type: types.decimal(12, 2), values: ["-0.01", "9999999999.99", "-9999999999.99", "0"] },
  medium: { type: types.decimal(18, 6), values: ["-0.000001", "999999999999.999999", "-999999999999.999999"] },
  wide: { type: types.decimal(38, 10), values: ["-0.0000000001", "9999999999999999999999999999.9999999999", "1"] },
  text: {
    type: types.string,
    values: [
      "''",
      "'plain'",
      "'quotes '' \" and \\ back'",
      "'a' || chr(13) || chr(10) || chr(9) || chr(1) || chr(127)",
      "chr(65279) || 'mark'",
      "chr(65535) || chr(55295)",
      "chr(128512) || 'e' || chr(769) || chr(1114111)",
      "repeat('x', 15) || chr(233)",
      "repeat(chr(128512), 20)",
      "repeat('long ', 100000)",
      "'NULL'",
      "'zz'",
    ],
  },
  bytes: { type: types.binary, values: ["''::BLOB", "'\\x00\\xFF\\x10'::BLOB", "repeat('\\xFF', 40)::BLOB"] },
  day: { type: types.date, values: ["'0001-01-01'", "'1969-12-31'", "'9999-12-31'", "'2024-02-29'", "'1582-10-10'"] },
  local: {
    type: types.timestamp,
    values: ["'0001-01-01 00:00:00'", "'1969-12-31 23:59:59.999999'", "'9999-12-31 23:59:59.999999'"],
  },
  instant: {
    type: types.timestamptz,
    values: ["'0001-01-01 00:00:00+00'", "'1969-12-31 23:59:59.999999+00'", "'9999-12-31 23:59:59.999999+00'"],
  },
};

/** Every type as a column, and as a list of it. */
export const everything: TableDefinition = {
  namespace: "odd names",
  name: "every type",
  key: ["key column"],
  columns: [
    { name: "key column", type: types.int64, nullable: false },
    ...Object.entries(scalars).flatMap(([name, { type }]) => [
      { name, type, nullable: true },
      { name: `${name} list`, type: types.list(type), nullable: true },
    ]),
  ],
};

/** Rows of {@linkcode everything}. */
export const everyRow: readonly LiteralRow[] = Array.from({ length: 14 }, (_, index) => {
  const cells = Object.entries(scalars).flatMap(([name, { values }]) => [
    [name, values[index] ?? "NULL"],
    [`${name} list`, [`[${values.join(", ")}, NULL]`, "[]", "[NULL]"][index] ?? "NULL"],
  ]);
  return { "key column": String(index), ...Object.fromEntries(cells) };
});

/** Types that a key may have. */
const keyTypes = Object.entries(scalars).filter(([name]) => name !== "bytes");

/** Registers the suite for one format. */
export function sinkValues(format: SinkFormat): void {
  Deno.test(`sink ${format.name}: every value of every type comes back as it went in, bit by bit`, () =>
    withSink(format, async (context) => {
      const change = await context.change(1, { upserts: everyRow });
      await context.sink.commit(change);
      await sameRows(context.connection, { expected: change.upserts?.name, sink: context.reopen() });
      const nothing = everyRow.map((row) => ({ "key column": row["key column"] as string }));
      const emptied = await context.change(2, { upserts: nothing });
      await context.sink.commit(emptied);
      await sameRows(context.connection, { expected: emptied.upserts?.name, sink: context.reopen() });
    }, everything));

  for (const [name, { type, values }] of keyTypes) {
    Deno.test(`sink ${format.name}: rows are found again by a key of type ${kindOf(type)} (${name})`, () =>
      withSink(format, (context) => keyedBy(context, values), keyedTable(type)));
  }
}

type Context = Parameters<Parameters<typeof withSink>[1]>[0];

/** Inserts, replaces and removes by every value, also as the first column of a composite key. */
async function keyedBy(context: Context, values: readonly string[]): Promise<void> {
  const row = (index: number, version: string) => ({ k: values[index] as string, "n 2": "1", v: `'${version}'` });
  const all = values.map((_, index) => index);
  await context.commit(1, { inserts: all.map((index) => row(index, `first ${index}`)) });
  const keys = await context.rows("k::VARCHAR");
  assert.deepEqual(keys, await texts(context.connection, values));
  await context.commit(2, { upserts: all.map((index) => row(index, `second ${index}`)) });
  assert.deepEqual(await context.rows("v"), all.map((index) => [`second ${index}`]).sort());
  const odd = all.filter((index) => index % 2 === 1);
  await context.commit(3, { removals: odd.map((index) => ({ k: values[index] as string, "n 2": "1" })) });
  const kept = all.filter((index) => index % 2 === 0);
  assert.deepEqual(await context.rows("v"), kept.map((index) => [`second ${index}`]).sort());
  await context.commit(4, { scope: ["k"], removals: kept.map((index) => ({ k: values[index] as string })) });
  assert.deepEqual(await context.rows("v"), []);
  assert.deepEqual((await context.sink.status()).position, position(4));
}

async function texts(connection: Context["connection"], values: readonly string[]): Promise<unknown[][]> {
  const { type } = keyTypes.find(([, known]) => known.values === values)![1];
  const rows = values.map((value) => `((${value})::${duckdbType(type)})`).join(", ");
  const found = await connection.rows(`SELECT k::VARCHAR AS k FROM (VALUES ${rows}) AS v(k) ORDER BY ALL`);
  return found.map((row) => Object.values(row));
}

function keyedTable(type: ColumnType): TableDefinition {
  return {
    namespace: "bank",
    name: "keyed",
    key: ["k", "n 2"],
    columns: [
      { name: "k", type, nullable: false },
      { name: "n 2", type: types.int32, nullable: false },
      { name: "v", type: types.string, nullable: true },
    ],
  };
}

function kindOf(type: ColumnType): string {
  return type.kind === "decimal" ? `decimal(${type.precision},${type.scale})` : type.kind;
}

/** Asserts that a sink holds the rows of a relation, bit by bit. */
export async function sameRows(
  connection: Connection,
  { expected, sink, definition = everything }: {
    /** The relation's name. */
    readonly expected: string | undefined;
    readonly sink: Sink;
    readonly definition?: TableDefinition;
  },
): Promise<void> {
  using opened = await sink.scan();
  assert.ok(expected !== undefined && opened !== undefined);
  const scan = opened.sql;
  const key = identifier(definition.key[0]!);
  const hashes = definition.columns.map((column) => `${rowHash([column])} AS ${identifier(column.name)}`);
  for (const [name, rows] of [["expected_hashes", `FROM ${identifier(expected)}`], ["found_hashes", scan]] as const) {
    await connection.run(
      `CREATE OR REPLACE TABLE ${name} AS SELECT ${key} AS key, ${hashes.join(", ")} FROM (${rows})`,
    );
  }
  const lost = await connection.rows("FROM expected_hashes EXCEPT ALL FROM found_hashes");
  const gained = await connection.rows("FROM found_hashes EXCEPT ALL FROM expected_hashes");
  const wrong = definition.columns.map(({ name }) => name).filter((name) =>
    lost.some((row) => gained.every((other) => other[name] !== row[name]))
  );
  assert.deepEqual([lost.length, gained.length, wrong], [0, 0, []]);
}
