import assert from "node:assert/strict";
import { DuckDBInstance } from "@duckdb/node-api";
import { type ScalarType, types } from "../../dataset/column_type.ts";
import { encodeRow, type KeyValue } from "./binary_row.ts";
import { bucketOf, hashRow } from "./bucket.ts";
import { bucketSql } from "./bucket_sql.ts";
import { keyValueSql, toKeyValue } from "./key_columns.ts";
import { Connection } from "../../engine/connection.ts";

const text = (value: string) => new TextEncoder().encode(value);

/** Types, values, hash, and buckets of 4, 10 and 16, as Paimon 1.4.2's own Java classes gave them. */
const vectors: readonly (readonly [readonly ScalarType[], readonly KeyValue[], number, number, number, number])[] = [
  [[types.int32], [0], -300363099, 3, 9, 11],
  [[types.int32], [1], 1465514398, 2, 8, 14],
  [[types.int32], [-1], 1133687267, 3, 7, 3],
  [[types.int32], [42], 907821237, 1, 7, 5],
  [[types.int64], [7n], -348168691, 3, 1, 3],
  [[types.int64], [-1n], -821098432, 0, 2, 0],
  [[types.int64], [1234567890123n], -1873221036, 0, 6, 12],
  [[types.string], [text("ab")], -425866811, 3, 1, 11],
  [[types.string], [text("abcdefgh")], -843760178, 2, 8, 2],
  [[types.string], [text("hello world")], 161593394, 2, 4, 2],
  [[types.string], [text("é")], -1531579217, 1, 7, 1],
  [[types.int64, types.string], [1n, text("2026-01-01")], -673044012, 0, 2, 12],
  [[types.string, types.int32], [text("2026-01-01"), 5], -1246153349, 1, 9, 5],
  [[types.decimal(10, 2)], [1234n], -1096042293, 1, 3, 5],
  [[types.timestamp], [1767225600123456n], -869000628, 0, 8, 4],
  [[], [], -1670924195, 3, 5, 3],
];

Deno.test("hashes and buckets equal those of Paimon's own classes", () => {
  for (const [rowTypes, values, hash, of4, of10, of16] of vectors) {
    const found = hashRow(encodeRow(rowTypes, values));
    assert.deepEqual([found, bucketOf(found, 4), bucketOf(found, 10), bucketOf(found, 16)], [hash, of4, of10, of16]);
  }
});

Deno.test("buckets computed inside DuckDB equal those of the key row", async () => {
  const connection = new Connection(await (await DuckDBInstance.create(":memory:")).connect(), ".");
  await connection.run(
    `CREATE TABLE keys AS SELECT i::INTEGER - 500 AS a, (hash(i) >> 1)::BIGINT * (1 - 2 * (i % 2)) AS b,
    CASE WHEN i % 3 = 0 THEN chr(65279) ELSE '' END || repeat('é', (i % 12)::INTEGER) || i AS c,
    DATE '1969-06-01' + i::INTEGER AS d, (i - 300)::DECIMAL(10,2) / 4 AS e, (i * 1e20)::DECIMAL(30,3) AS f,
    TIMESTAMP '1969-12-31 23:59:59.999999' + to_microseconds(i) AS g, i % 2 = 0 AS h, i::DOUBLE / 7 AS j,
    i::FLOAT / 7 AS k, encode('x' || i) AS l FROM range(1000) r(i)`,
  );
  const column: Readonly<Record<string, ScalarType>> = {
    a: types.int32,
    b: types.int64,
    c: types.string,
    d: types.date,
    e: types.decimal(10, 2),
    f: types.decimal(30, 3),
    g: types.timestamp,
    h: types.boolean,
    j: types.float64,
    k: types.float32,
    l: types.binary,
  };
  for (const names of ["a", "b", "d", "ab", "bad", "c", "ca", "e", "f", "g", "hjkl"]) {
    const key = [...names].map((name) => ({ name, type: column[name]! }));
    const select = key.map((each, index) => `${keyValueSql(each)} AS v${index}`).join();
    const bucket = await bucketSql(key, { buckets: 7, connection });
    const rows = await connection.rows(`SELECT ${bucket} AS bucket, ${select} FROM keys`);
    for (const row of rows) {
      const values = key.map((_, index) => toKeyValue(row[`v${index}`]!));
      assert.equal(row.bucket, bucketOf(hashRow(encodeRow(key.map(({ type }) => type), values)), 7), names);
    }
    assert.equal(new Set(rows.map((row) => row.bucket)).size, 7, names);
  }
});
