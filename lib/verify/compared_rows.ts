/**
 * Which rows a verification compares: a share of the keys, without those that changed between the two sides, and without rows
 * that the lake keeps for some time only.
 *
 * Promise: the same rows on both sides, decided by their key texts alone (by the row's hash where there is no key), and by the text
 * that says their time.
 */
import type { OldRows } from "../dataset/row_retention.ts";
import { identifier } from "../engine/quote.ts";
import type { RowTextQuery } from "../source/postgres/row_text_sql.ts";

/** A table of key texts `t0 … tn`, one for each of some key columns. */
export interface KeyTable {
  /** In SQL, quoted where it needs to be. */
  readonly name: string;
  /** Columns of the compared table's key, or of its first part: a child goes with its parent. */
  readonly columns: readonly string[];
}

/** A choice of rows. */
export interface ComparedRows {
  /** Share of the keys, above 0 and up to 1. Default 1. The same share is the same keys each time. */
  readonly share?: number;
  /** Rows of these keys alone. */
  readonly only?: KeyTable;
  /** All rows but those of these keys. */
  readonly except?: KeyTable;
  /** All rows but these. */
  readonly without?: OldRows | undefined;
}

/** DuckDB condition over a side's `k0 … kn` and `hash`, in a query where they are called `compared`. */
export function comparedKeys(key: readonly string[], { share = 1, only, except }: ComparedRows = {}): string {
  const sampled = share < 1 ? [`${sampleDuckdb(key)} < '${threshold(share)}'`] : [];
  const among = ({ name, columns }: KeyTable) => {
    const equal = columns.map((column, index) => `keys.t${index} = compared.k${place(key, column)}`);
    return `EXISTS (SELECT 1 FROM ${name} AS keys WHERE ${equal.join(" AND ")})`;
  };
  const chosen = [
    ...sampled,
    ...(only === undefined ? [] : [among(only)]),
    ...(except === undefined ? [] : [`NOT ${among(except)}`]),
  ];
  return chosen.length === 0 ? "true" : chosen.join(" AND ");
}

/** The source's statement for a share of the keys: what is left out is neither hashed nor sent. */
export function sampledStatement({ statement, key }: RowTextQuery, { share = 1 }: ComparedRows = {}): string {
  if (share >= 1) return statement;
  const texts = key.map((_, index) => `sampled.k${index}`).join(", ");
  const hash = key.length === 0
    ? "sampled.hash"
    : `pg_catalog.md5(pg_catalog.convert_to(pg_catalog.concat_ws(pg_catalog.chr(31), ${texts}), 'UTF8'))`;
  return `SELECT * FROM (${statement}) AS sampled
    WHERE pg_catalog.left(${hash}, 8) COLLATE "C" < '${threshold(share)}'`;
}

function sampleDuckdb(key: readonly string[]): string {
  if (key.length === 0) return "left(compared.hash::VARCHAR, 8)";
  return `left(md5(concat_ws(chr(31), ${key.map((_, index) => `compared.k${index}`).join(", ")})), 8)`;
}

/** The first eight hexadecimal digits of a hash are below it for so large a share. */
function threshold(share: number): string {
  if (!(share > 0)) throw new RangeError(`Cannot compare a share of ${share}: expected more than 0 and at most 1`);
  return Math.max(1, Math.round(share * 2 ** 32)).toString(16).padStart(8, "0");
}

function place(key: readonly string[], column: string): number {
  const index = key.indexOf(column);
  if (index < 0) throw new RangeError(`Cannot tell rows apart by "${identifier(column)}": it is no part of the key`);
  return index;
}
