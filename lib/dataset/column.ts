/** One column of a dataset or lake table: declared once, used for DDL, DuckDB, table formats, texts and masks. */
import type { ColumnType } from "./column_type.ts";

/** A column. */
export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  readonly nullable: boolean;
  /** The source's name where the lake cannot hold it beside the others (source/postgres/lake_names.ts). */
  readonly sourceName?: string;
  /** Other names a source may have for it, in whatever case. The lake keeps the source's name. */
  readonly aliases?: readonly string[];
  /** One phrase for people; written into the table formats. */
  readonly doc?: string;
  /** Names, addresses, numbers of people: masked wherever rows are shown. */
  readonly personal?: boolean;
  /** The column's type in PostgreSQL DDL where the dataset is ours to create, e.g. `jsonb` or `varchar(16)`. */
  readonly sourceType?: string;
  /** Default expression in PostgreSQL DDL. */
  readonly sourceDefault?: string;
  /** Whether PostgreSQL DDL of ours makes an index on it. */
  readonly indexed?: boolean;
  /**
   * Of a vector: the column that says what it is a vector of. Rows that agree in that one have the same vector. Vectors may be
   * written to files in a way of their own.
   */
  readonly vectorOf?: string;
  /** Present where the column is part of the embedding text. */
  readonly text?: ColumnText;
}

/** A column's place in the embedding text. */
export interface ColumnText {
  /** Label before the value, e.g. `First name`. */
  readonly label: string;
  /** Ascending position in the text. */
  readonly order: number;
}
