/** Which buckets a change touches, and the exact key range of each: read from the key columns alone. */
import type { DuckDBStructValue, DuckDBValue } from "@duckdb/node-api";
import type { Connection, Row } from "../../engine/connection.ts";
import { identifier } from "../../engine/quote.ts";
import type { KeyValue } from "./binary_row.ts";
import { bucketColumn } from "./deleted_keys.ts";
import { type KeyColumn, keyValueSql, toKeyValue } from "./key_columns.ts";
import type { KeyBounds } from "./statistics.ts";

/** One bucket's part of a change. */
export interface BucketPart {
  readonly bucket: number;
  /** Rows that mark deletions. */
  readonly deletedRows: bigint;
  /** First and last key in key order. */
  readonly range: KeyBounds;
  /** Smallest and largest value of each key column by itself. */
  readonly bounds: KeyBounds;
}

/** What is routed: relations by name, already inside the engine. */
export interface RoutedChange {
  readonly connection: Connection;
  readonly key: readonly KeyColumn[];
  /** SQL giving a key's bucket. */
  readonly bucket: string;
  readonly upserts?: string;
  readonly deletedKeys?: string;
}

/** The buckets of a change, ascending. */
export async function routeChange(change: RoutedChange): Promise<readonly BucketPart[]> {
  const { key, connection } = change;
  const values = key.map((column, index) => `${keyValueSql(column)} AS k${index}`).join(", ");
  const sources = [
    change.upserts && `SELECT ${change.bucket} AS bucket, 0 AS deleted, ${values} FROM ${identifier(change.upserts)}`,
    change.deletedKeys &&
    `SELECT ${identifier(bucketColumn)} AS bucket, 1 AS deleted, ${values} FROM ${identifier(change.deletedKeys)}`,
  ].filter((source) => source !== undefined);
  if (sources.length === 0) return [];
  const columns = key.map((_, index) => `min(k${index}) AS min${index}, max(k${index}) AS max${index}`);
  const whole = `{${key.map((_, index) => `k${index}: k${index}`).join(", ")}}`;
  const ranges = key.length === 1 ? "" : `, min(${whole}) AS first_key, max(${whole}) AS last_key`;
  const rows = await connection.rows(
    `SELECT bucket, sum(deleted)::BIGINT AS deleted, ${columns.join(", ")}${ranges}
     FROM (${sources.join(" UNION ALL ")}) GROUP BY bucket ORDER BY bucket`,
  );
  return rows.map((row) => bucketPart(row, key.length));
}

/** Whether rows stand in key order as they are. Only the key columns are read. */
export async function isInKeyOrder(
  connection: Connection,
  rows: { readonly name: string; readonly key: readonly string[] },
): Promise<boolean> {
  const whole = `{${rows.key.map((name, index) => `k${index}: ${identifier(name)}`).join(", ")}}`;
  const misplaced = await connection.value(
    `SELECT 1 FROM (SELECT ${whole} AS key, lag(${whole}) OVER () AS previous FROM ${identifier(rows.name)})
     WHERE key < previous LIMIT 1`,
  );
  return misplaced === undefined;
}

function bucketPart(row: Row, arity: number): BucketPart {
  const each = (prefix: string): readonly KeyValue[] =>
    Array.from({ length: arity }, (_, index) => toKeyValue(row[`${prefix}${index}`]!));
  const bounds = { min: each("min"), max: each("max") };
  const range = arity === 1 ? bounds : { min: wholeKey(row.first_key!), max: wholeKey(row.last_key!) };
  return { bucket: row.bucket as number, deletedRows: row.deleted as bigint, range, bounds };
}

function wholeKey(value: DuckDBValue): readonly KeyValue[] {
  return Object.values((value as DuckDBStructValue).entries).map((entry) => toKeyValue(entry));
}
