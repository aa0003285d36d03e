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
}
