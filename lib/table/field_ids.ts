/** Ids of a Parquet file's columns, by which readers of a table find them whatever they are called. */
import { identifier } from "../engine/quote.ts";

/** Of a column, and of its elements where it is a list whose elements have one. */
export interface FieldId {
  readonly id: number;
  readonly element?: number;
}

/** By the name of the column in the file. */
export type FieldIds = ReadonlyMap<string, FieldId>;

/** `FIELD_IDS` of DuckDB's COPY. */
export function fieldIdsSql(ids: FieldIds): string {
  const entries = [...ids].map(([name, { id, element }]) =>
    `${identifier(name)}: ${element === undefined ? id : `{__duckdb_field_id: ${id}, element: ${element}}`}`
  );
  return `{${entries.join(", ")}}`;
}
