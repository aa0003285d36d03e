/** Which buckets a change touches, and the exact key range of each: read from the key columns alone. */
import type { Connection } from "../../engine/connection.ts";
import { identifier } from "../../engine/quote.ts";
import { bucketColumn } from "./deleted_keys.ts";
import type { KeyColumn } from "./key_columns.ts";
import { keyItems, type KeyRange, keyRanges } from "./key_ranges.ts";

/** One bucket's part of a change. */
export interface BucketPart extends KeyRange {
  readonly bucket: number;
  /** Rows that mark deletions. */
  readonly deletedRows: bigint;
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
  const values = keyItems(key);
  const sources = [
    change.upserts && `SELECT ${change.bucket} AS part, 0 AS deleted, ${values} FROM ${identifier(change.upserts)}`,
    change.deletedKeys &&
    `SELECT ${identifier(bucketColumn)} AS part, 1 AS deleted, ${values} FROM ${identifier(change.deletedKeys)}`,
  ].filter((source) => source !== undefined);
  if (sources.length === 0) return [];
  const parts = await keyRanges(connection, {
    rows: sources.join(" UNION ALL "),
    arity: key.length,
    aggregates: ["sum(deleted)::BIGINT AS deleted"],
  });
  return parts.map(({ row, ...ranges }) => ({
    ...ranges,
    bucket: row.part as number,
    deletedRows: row.deleted as bigint,
  }));
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
