/** What the columns of a data file hold of a relation's rows: one spelling, by which formats see that their files agree. */
import { type ColumnType, duckdbType } from "../dataset/column_type.ts";
import type { TableDefinition } from "../dataset/dataset.ts";
import { identifier } from "../engine/quote.ts";

/** SQL by the name of a file's column, in the order of columns. */
export type RowColumns = ReadonlyMap<string, string>;

/** A column's value, cast; null where the relation lacks it. */
export function columnValue(
  { columns }: Pick<TableDefinition, "columns">,
  { name, type }: { readonly name: string; readonly type: ColumnType },
): string {
  const isThere = columns.some((column) => column.name === name);
  return `CAST(${isThere ? identifier(name) : "NULL"} AS ${duckdbType(type)})`;
}

/** The items of a SELECT. */
export function selectItems(columns: RowColumns): string {
  return [...columns].map(([name, value]) => `${value} AS ${identifier(name)}`).join(", ");
}
