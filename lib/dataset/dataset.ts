/**
 * The contract of one logical table: columns, keys, meaning, and what is derived from it.
 *
 * Promise: a column is declared once, here; PostgreSQL DDL, DuckDB types, table-format schemas, embedding texts and masks
 * follow from it. Pure: nothing in this room touches a file, a server or a clock.
 */
import type { Column } from "./column.ts";
import type { ChildTable, Projection } from "./projection.ts";
import type { TextTemplate } from "./text_template.ts";

/** A logical table as its source has it, with what is projected out of it. */
export interface Dataset {
  /** Lake database, e.g. `payments`. */
  readonly namespace: string;
  /** Lake table name, e.g. `account_holders`. */
  readonly name: string;
  /** Where the rows come from: PostgreSQL namespace and table. */
  readonly source: { readonly namespace: string; readonly table: string };
  /** Columns in source order. */
  readonly columns: readonly Column[];
  /** Names of the key columns, in key order. Empty: rows are only ever appended. */
  readonly key: readonly string[];
  /** Instant column by whose UTC day Iceberg partitions the table. */
  readonly eventTime?: string;
  /** Scalar columns read out of JSON columns, appended after the source columns. */
  readonly projections?: readonly Projection[];
  /** Tables with a row per element of JSON arrays. */
  readonly children?: readonly ChildTable[];
  /** Embedding text of a record whose text columns are all empty. Absent: the dataset is not embedded by default. */
  readonly emptyText?: string;
  /** Version of the text of all labelled columns; changes whenever label, order or rendering changes. */
  readonly textVersion?: string;
  /** The text that is embedded unless the full one is asked for. Absent: the full one. */
  readonly textTemplate?: TextTemplate;
}

/** What a lake table is made of, in whatever format. */
export interface TableDefinition {
  readonly namespace: string;
  readonly name: string;
  readonly columns: readonly Column[];
  /** Key columns; empty for a table that only grows. */
  readonly key: readonly string[];
  /** Columns a row's siblings share: the parent's key for a child table. Paimon buckets by them. Default: the key. */
  readonly colocation?: readonly string[];
  /** Partition by the UTC day of this instant column where the format can do so without touching the key. */
  readonly partitionByDay?: string;
  /** Partition rows by the values of these columns, where the format can. Default: as the table is, and a new one not. */
  readonly partitionBy?: readonly string[];
  /**
   * Order rows inside files by these columns, nulls first, where the format can: reading a range of them then skips most of a
   * file. Default: as they come, which is faster to write.
   */
  readonly sortBy?: readonly string[];
}

/** The lake table a dataset becomes before any transform: its source columns as they are. */
export function sourceTable(dataset: Dataset): TableDefinition {
  return {
    namespace: dataset.namespace,
    name: dataset.name,
    columns: dataset.columns,
    key: dataset.key,
    ...(dataset.eventTime === undefined ? {} : { partitionByDay: dataset.eventTime }),
  };
}
