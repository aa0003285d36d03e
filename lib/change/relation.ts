/** A relation inside DuckDB: what transforms take and give, and what sinks write. */
import type { TableDefinition } from "../dataset/dataset.ts";

/**
 * A table or view in the engine. Beside the definition's columns every relation of changes carries
 * `_ordinal` BIGINT (order in the batch), `_delete` BOOLEAN (the row's key leaves the table; only key columns are set)
 * and `_replaces` BOOLEAN (the lake may hold an earlier version of this key).
 */
export interface Relation {
  /** Quoted-safe name inside the engine. */
  readonly name: string;
  readonly definition: TableDefinition;
  readonly rows: number;
  /** Rows with `_delete`. Absent: not counted. */
  readonly deletes?: number;
  /** Rows with `_replaces` that stay. Absent: not counted. */
  readonly replacing?: number;
  /** The vectors of all its rows, for files that hold the same rows in the same order. Absent: they are read as any column is. */
  readonly vectors?: VectorPages;
  /** The relation that this one adds columns to: the same rows in the same order. */
  readonly narrower?: Relation;
}

/**
 * The narrowest relation of the same rows in the same order that has some columns. A question about them alone is put to it: a
 * view of ninety columns takes longer to plan than the answer.
 */
export function narrowest(relation: Relation, columns: readonly string[]): Relation {
  const { narrower } = relation;
  const hasAll = narrower !== undefined &&
    columns.every((name) => narrower.definition.columns.some((column) => column.name === name));
  return hasAll ? narrowest(narrower, columns) : relation;
}

/** Vectors as pages of a Parquet column of lists, without compression. */
export interface VectorPages {
  /** SELECT giving what each vector is of (VARCHAR), in the order of the rows: rows that agree in it have the same vector. */
  readonly of: string;
  /** Row groups, in order. */
  readonly groups: readonly PageGroup[];
  /** Hands over all pages, in order; each piece is valid until `write` has resolved. */
  readonly copyTo: (write: (bytes: Uint8Array) => Promise<void>) => Promise<void>;
}

/** The pages of a row group. */
export interface PageGroup {
  readonly rows: number;
  readonly bytes: number;
  /** Numbers, and rows without any. */
  readonly values: number;
  /** Rows without numbers. */
  readonly nulls: number;
}
