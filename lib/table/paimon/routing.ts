/** Which places a change touches, and the exact key range in each: read from the key columns alone. */
import type { Connection } from "../../engine/connection.ts";
import { narrowest, type Relation } from "../../change/relation.ts";
import { identifier } from "../../engine/quote.ts";
import { bucketColumn } from "./deleted_keys.ts";
import { type KeyColumn, keyValueSql, toKeyValue } from "./key_columns.ts";
import { keyItems, type KeyRange, keyRanges } from "./key_ranges.ts";
import type { Partitioning, Place } from "./partitioning.ts";

/** One place's part of a change. */
export interface PlacePart extends KeyRange {
  readonly place: Place;
  /** All rows, and those of them that mark deletions. */
  readonly rows: bigint;
  readonly deletedRows: bigint;
}

/** What is routed: relations by name, already inside the engine. */
export interface RoutedChange {
  readonly connection: Connection;
  readonly partitioning: Partitioning;
  /** The key inside a partition. */
  readonly key: readonly KeyColumn[];
  /** SQL giving a key's bucket. */
  readonly bucket: string;
  readonly upserts?: Relation;
  readonly deletedKeys?: string;
}

/** The places of a change, partition by partition. */
export async function routeChange(change: RoutedChange): Promise<readonly PlacePart[]> {
  const { key, connection, partitioning } = change;
  const partition = partitionItems(partitioning);
  const asked = [...partitioning.columns, ...key].map(({ name }) => name);
  const values = [...partition.items, keyItems(key)].join(", ");
  const sources = [
    change.upserts &&
    `SELECT ${change.bucket} AS part, 0 AS deleted, ${values} FROM ${
      identifier(narrowest(change.upserts, asked).name)
    }`,
    change.deletedKeys &&
    `SELECT ${identifier(bucketColumn)} AS part, 1 AS deleted, ${values} FROM ${identifier(change.deletedKeys)}`,
  ].filter((source) => source !== undefined);
  if (sources.length === 0) return [];
  const parts = await keyRanges(connection, {
    rows: sources.join(" UNION ALL "),
    by: [...partition.names, "part"],
    arity: key.length,
    aggregates: ["count(*) AS rows", "sum(deleted)::BIGINT AS deleted"],
  });
  return parts.map(({ row, ...ranges }) => ({
    ...ranges,
    place: partitioning.placeOf(partition.names.map((name) => toKeyValue(row[name]!)), row.part as number),
    rows: row.rows as bigint,
    deletedRows: row.deleted as bigint,
  }));
}

/** The partitions that the rows of a relation stand in, as places of bucket 0. */
export async function partitionsOf(
  connection: Connection,
  { partitioning, rows: of }: { readonly partitioning: Partitioning; readonly rows: Relation },
): Promise<readonly Place[]> {
  const { names, items } = partitionItems(partitioning);
  if (names.length === 0) return [partitioning.placeOf([], 0)];
  const { name } = narrowest(of, partitioning.columns.map((column) => column.name));
  const rows = await connection.rows(`SELECT DISTINCT ${items.join(", ")} FROM ${identifier(name)} ORDER BY ALL`);
  return rows.map((row) => partitioning.placeOf(names.map((each) => toKeyValue(row[each]!)), 0));
}

function partitionItems(
  { columns }: Partitioning,
): { readonly names: readonly string[]; readonly items: readonly string[] } {
  const names = columns.map((_, index) => `p${index}`);
  return { names, items: columns.map((column, index) => `${keyValueSql(column)} AS p${index}`) };
}

/** Whether rows stand in key order as they are. Only the key columns are read. */
export async function isInKeyOrder(
  connection: Connection,
  { rows, key }: { readonly rows: Relation; readonly key: readonly string[] },
): Promise<boolean> {
  const whole = `{${key.map((name, index) => `k${index}: ${identifier(name)}`).join(", ")}}`;
  const misplaced = await connection.value(
    `SELECT 1 FROM (SELECT ${whole} AS key, lag(${whole}) OVER () AS previous FROM ${
      identifier(narrowest(rows, key).name)
    })
     WHERE key < previous LIMIT 1`,
  );
  return misplaced === undefined;
}
