/** A table with a column of every type, and rows for it. */
import { types } from "../../lib/dataset/column_type.ts";
import type { TableDefinition } from "../../lib/dataset/dataset.ts";

/** A keyed table with a column of every type. */
export const everyType: TableDefinition = {
  namespace: "bank",
  name: "holders",
  key: ["id"],
  columns: [
    { name: "id", type: types.int64, nullable: false, doc: "key" },
    { name: "name", type: types.string, nullable: true },
    { name: "small", type: types.int32, nullable: true },
    { name: "single", type: types.float32, nullable: true },
    { name: "double", type: types.float64, nullable: true },
    { name: "amount", type: types.decimal(10, 2), nullable: true },
    { name: "large amount", type: types.decimal(38, 6), nullable: true },
    { name: "flag", type: types.boolean, nullable: true },
    { name: "bytes", type: types.binary, nullable: true },
    { name: "born", type: types.date, nullable: true },
    { name: "local", type: types.timestamp, nullable: true },
    { name: "seen", type: types.timestamptz, nullable: true },
    { name: "tags", type: types.list(types.string), nullable: true },
    { name: "vector", type: types.list(types.float32), nullable: true, vectorOf: "id" },
  ],
};

/** Columns of {@linkcode everyType} that a table can be partitioned by. */
export const partitionedBy = ["name", "small", "amount", "flag", "born", "local", "seen"];

/** {@linkcode everyTypeRows} with few values in {@linkcode partitionedBy}, nulls among them. deltalake misspells decimals below 0. */
export function partitionedRows(range: string, salt: string, parts: number): string {
  return `SELECT * EXCLUDE (part) REPLACE (
    CASE WHEN part > 0 THEN chr(65279) || repeat('é/😀=%~* ', 4) || part END AS name,
    CASE WHEN part > 1 THEN 1 - part END::INTEGER AS small,
    (part * 1.01)::DECIMAL(10, 2) AS amount,
    CASE WHEN part <> 2 THEN part % 2 = 0 END AS flag,
    CASE WHEN part <> 3 THEN DATE '1969-12-30' + part END AS born,
    CASE WHEN part <> 4 THEN TIMESTAMP '1969-12-31 23:59:59.999999' + to_microseconds(part) END AS local,
    CASE WHEN part <> 5 THEN TIMESTAMPTZ '1969-12-31 23:59:59.9+00' + to_microseconds(part * 100000) END AS seen
  ) FROM (SELECT *, (id % ${parts})::INTEGER AS part FROM (${everyTypeRows(range, salt)}))`;
}

/** Rows of every type, with nulls, empty values and values beyond the bounds' 16 characters, made from a range of numbers. */
export function everyTypeRows(range: string, salt: string): string {
  return `SELECT i AS id,
    CASE i % 5 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN chr(65279) || i ELSE repeat('é😀', 12) || '${salt}' || i END AS name,
    CASE WHEN i % 7 > 0 THEN (i - 500)::INTEGER END AS small,
    CASE WHEN i % 11 = 0 THEN 'nan'::FLOAT ELSE i / 3 END::FLOAT AS single,
    CASE i % 13 WHEN 0 THEN '-inf'::DOUBLE WHEN 1 THEN -0.0 ELSE i / 7.0 END AS double,
    ((i - 300) * 1.01)::DECIMAL(10, 2) AS amount,
    (i * 12345678901234567890.123456)::DECIMAL(38, 6) AS "large amount",
    i % 3 = 0 AS flag,
    CASE WHEN i % 4 > 0 THEN unhex(md5(i::VARCHAR)) || 'ff'::BLOB END AS bytes,
    DATE '1965-01-01' + (i * 20)::INTEGER AS born,
    TIMESTAMP '1969-12-31 23:59:59.999999' + to_microseconds(i * 7777777777) AS local,
    TIMESTAMPTZ '1969-12-31 23:59:59.999999+00' + to_microseconds(i * 86400000001) AS seen,
    CASE i % 3 WHEN 0 THEN NULL WHEN 1 THEN [] ELSE ['a', NULL, '${salt}'] END AS tags,
    CASE i % 6 WHEN 0 THEN NULL WHEN 5 THEN [] ELSE [i::FLOAT, 0.5, -i::FLOAT] END AS vector
    FROM range(${range}) AS numbers(i)`;
}
