/** Paimon's merge reader believes that a file is sorted: rows out of order would be wrong answers without an error. */
import assert from "node:assert/strict";
import type { Relation } from "../../change/relation.ts";
import { type ScalarType, types } from "../../dataset/column_type.ts";
import type { TableDefinition } from "../../dataset/dataset.ts";
import type { Connection } from "../../engine/connection.ts";
import { identifier, literal } from "../../engine/quote.ts";
import { LocalStorage } from "../../storage/local.ts";
import { type DatabaseFixture, withDatabase } from "../../testing/temporary.ts";
import { changeRelation } from "../../testing/transform_context.ts";
import type { KeyValue } from "./binary_row.ts";
import { compareKeys, keyColumns, keyValueSql, toKeyValue } from "./key_columns.ts";
import { PaimonTable } from "./paimon_table.ts";
import { isInKeyOrder } from "./routing.ts";

interface Keys {
  readonly name: string;
  readonly key: readonly ScalarType[];
  readonly partitionBy?: readonly string[];
  /** SELECT of distinct keys, as columns k0, k1 … */
  readonly select: string;
}

const texts = [
  "",
  "a",
  "A",
  "aa",
  "a\u0001",
  "Z",
  "é",
  "e\u0301",
  "ÿ",
  "東",
  "\ufeff",
  "\ufeffa",
  "\ufffd",
  "🙂",
  "𐀀",
  "\uffee",
  "~",
  "'",
  "\n",
];
const textValues = texts.map((text) => `(${literal(text)})`).join(", ");

const nastyKeys: readonly Keys[] = [
  { name: "uuid", key: [types.string], select: "SELECT md5(i::VARCHAR)::UUID::VARCHAR AS k0 FROM range(500) r(i)" },
  {
    name: "text of many bytes a character",
    key: [types.string],
    select:
      `SELECT one || two AS k0 FROM (VALUES ${textValues}) AS a(one), (VALUES ${textValues}) AS b(two) GROUP BY ALL`,
  },
  {
    name: "bytes",
    key: [types.binary],
    select: "SELECT unhex(lpad(hex(i * 7919), 6, '0')) AS k0 FROM range(500) r(i)",
  },
  {
    name: "whole numbers, negative too",
    key: [types.int32],
    select: "SELECT (i * 7919 - 2000000)::INTEGER AS k0 FROM range(500) r(i)",
  },
  {
    name: "64-bit numbers to both ends",
    key: [types.int64],
    select: `SELECT (i - 250) * 36893488147419103 AS k0 FROM range(501) r(i) UNION ALL
      VALUES (-9223372036854775808), (9223372036854775807)`,
  },
  {
    name: "decimals of 64 bits",
    key: [types.decimal(12, 4)],
    select: "SELECT ((i - 250) * 1.0007)::DECIMAL(12,4) AS k0 FROM range(500) r(i)",
  },
  {
    name: "decimals of 128 bits",
    key: [types.decimal(38, 10)],
    select:
      "SELECT ((i - 250) * 12345678901234567890.0123456789::DECIMAL(38,10))::DECIMAL(38,10) AS k0 FROM range(500) r(i)",
  },
  {
    name: "floats",
    key: [types.float64],
    select: `SELECT (i - 250) * 1e300 AS k0 FROM range(500) r(i) UNION ALL
      VALUES ('NaN'::DOUBLE), ('Infinity'::DOUBLE), ('-Infinity'::DOUBLE), (1e-320), (-1e-320)`,
  },
  {
    name: "days before 1970 too",
    key: [types.date],
    select: "SELECT DATE '1969-01-01' + i::INTEGER AS k0 FROM range(700) r(i)",
  },
  {
    name: "instants with microseconds",
    key: [types.timestamptz],
    select: "SELECT TIMESTAMPTZ '1969-12-31 23:59:59.9+00' + to_microseconds(i * 999) AS k0 FROM range(500) r(i)",
  },
  {
    name: "several columns, some of them of the partition",
    partitionBy: ["k1", "k2"],
    key: [types.string, types.boolean, types.int32, types.timestamp],
    select:
      `SELECT * FROM (VALUES ${textValues}) AS a(k0), (VALUES (false), (true)) AS b(k1), (VALUES (-1), (0), (10), (9)) AS c(k2),
      (VALUES (TIMESTAMP '1900-01-01'), (TIMESTAMP '2026-01-01 00:00:00.000001')) AS d(k3)`,
  },
];

function definitionOf({ key, partitionBy = [] }: Keys): TableDefinition {
  const columns = key.map((type, index) => ({ name: `k${index}`, type, nullable: false }));
  return {
    namespace: "shop",
    name: "orders",
    columns: [...columns, { name: "note", type: types.string, nullable: true }],
    key: columns.map(({ name }) => name),
    partitionBy,
  };
}

interface Written {
  readonly upserts?: Relation;
  readonly removals?: Relation;
  readonly definition: TableDefinition;
}

/** Keys of each file of a change, as they stand in it. */
async function writtenKeys(
  { connection, folder }: DatabaseFixture,
  change: Written,
): Promise<readonly (readonly KeyValue[])[][]> {
  const lake = `lake_${crypto.randomUUID()}`;
  const table = new PaimonTable({
    storage: new LocalStorage(folder),
    connection,
    folder: lake,
    namespace: "shop",
    name: "orders",
    commitUser: "weir",
  });
  const { definition, ...relations } = change;
  const state = await table.create(definition);
  const prepared = await table.prepare(state, {
    ...relations,
    definition,
    schemaChanges: [],
    truncate: false,
    scope: definition.key,
    position: { instance: "test:1/1", offset: "1" },
    commitTimeMs: 1000,
  });
  const values = keyColumns(definition.columns, definition.key).map((column) => keyValueSql(column)).join(", ");
  return await Promise.all(prepared.paths.map(async (path) => {
    const file = literal(`${folder}/${path}`);
    const query = `SELECT ${values} FROM read_parquet(${file}, file_row_number = true) ORDER BY file_row_number`;
    const reader = await connection.exclusively((native) => native.runAndReadAll(query));
    return reader.getRows().map((row) => row.map(toKeyValue));
  }));
}

function assertOrdered(files: readonly (readonly (readonly KeyValue[])[])[], rows: number): void {
  assert.equal(files.reduce((sum, keys) => sum + keys.length, 0), rows);
  for (const keys of files) {
    for (let row = 1; row < keys.length; row++) {
      assert.ok(compareKeys(keys[row - 1]!, keys[row]!) < 0, `${keys[row - 1]} stands before ${keys[row]}`);
    }
  }
}

async function relationOf(connection: Connection, keys: Keys, order: string): Promise<Relation> {
  const select = `SELECT *, 'a note' AS note FROM (${keys.select}) ORDER BY ${order}`;
  return await changeRelation(connection, { definition: definitionOf(keys), select });
}

for (const keys of nastyKeys) {
  Deno.test(`every file is in key order, whether its rows came so or not: ${keys.name}`, async () => {
    await withDatabase(async (fixture) => {
      const { connection } = fixture;
      const definition = definitionOf(keys);
      const key = definition.key;
      const ordered = await relationOf(connection, keys, key.join(", "));
      const shuffled = await relationOf(connection, keys, "hash(COLUMNS(k -> k LIKE 'k%'))");
      const is = (relation: Relation) => isInKeyOrder(connection, { rows: relation, key });
      assert.deepEqual([await is(ordered), await is(shuffled)], [true, false]);
      assertOrdered(await writtenKeys(fixture, { definition, upserts: ordered }), ordered.rows);
      // Deleted keys stand between the others, or alone.
      const half = (relation: Relation, odd: number): Promise<Relation> => {
        const select = `SELECT * FROM ${identifier(relation.name)} WHERE _ordinal % 2 = ${odd}`;
        return changeRelation(connection, { definition, select });
      };
      const mixed = { definition, upserts: await half(shuffled, 0), removals: await half(shuffled, 1) };
      assertOrdered(await writtenKeys(fixture, mixed), shuffled.rows);
      assertOrdered(await writtenKeys(fixture, { definition, removals: shuffled }), shuffled.rows);
    });
  });
}
