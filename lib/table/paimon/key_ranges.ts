/** Exact key ranges of groups of rows, read from the key columns alone. */
import type { DuckDBStructValue, DuckDBValue } from "@duckdb/node-api";
import type { Connection, Row } from "../../engine/connection.ts";
import type { KeyValue } from "./binary_row.ts";
import { type KeyColumn, keyValueSql, toKeyValue } from "./key_columns.ts";
import type { KeyBounds } from "./statistics.ts";

/** The keys of one group. */
export interface KeyRange {
  /** First and last key in key order. */
  readonly range: KeyBounds;
  /** Smallest and largest value of each key column by itself. */
  readonly bounds: KeyBounds;
}

/** SELECT items that {@linkcode keyRanges} takes: the key's values as `k0`, `k1` …. */
export function keyItems(key: readonly KeyColumn[]): string {
  return key.map((column, index) => `${keyValueSql(column)} AS k${index}`).join(", ");
}

/**
 * Ranges of rows by group.
 *
 * @param from.rows SELECT giving `from.by`, the columns of {@linkcode keyItems} and what `from.aggregates` are over.
 * @param from.by Columns that make a group.
 * @param from.aggregates Further SELECT items of each group.
 */
export async function keyRanges(
  connection: Connection,
  from: {
    readonly rows: string;
    readonly by: readonly string[];
    readonly arity: number;
    readonly aggregates: readonly string[];
  },
): Promise<readonly (KeyRange & { readonly row: Row })[]> {
  const indexes = Array.from({ length: from.arity }, (_, index) => index);
  const columns = indexes.map((index) => `min(k${index}) AS min${index}, max(k${index}) AS max${index}`);
  const whole = `{${indexes.map((index) => `k${index}: k${index}`).join(", ")}}`;
  const ranges = from.arity === 1 ? [] : [`min(${whole}) AS first_key, max(${whole}) AS last_key`];
  const by = from.by.join(", ");
  const items = [by, ...from.aggregates, ...columns, ...ranges];
  const rows = await connection.rows(`SELECT ${items.join(", ")} FROM (${from.rows}) GROUP BY ${by} ORDER BY ${by}`);
  return rows.map((row) => ({ row, ...rangeOf(row, indexes) }));
}

function rangeOf(row: Row, indexes: readonly number[]): KeyRange {
  const each = (prefix: string): readonly KeyValue[] => indexes.map((index) => toKeyValue(row[`${prefix}${index}`]!));
  const bounds = { min: each("min"), max: each("max") };
  const range = indexes.length === 1 ? bounds : { min: wholeKey(row.first_key!), max: wholeKey(row.last_key!) };
  return { range, bounds };
}

function wholeKey(value: DuckDBValue): readonly KeyValue[] {
  return Object.values((value as DuckDBStructValue).entries).map((entry) => toKeyValue(entry));
}
