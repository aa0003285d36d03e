/** Rows that are there already, as a query: so that what no SQL has found is shown, joined and charted like everything else. */
import { identifier, sql, SqlPart } from "./sql_part.ts";

/** A column's name and DuckDB's name of its type. */
export type GivenColumn = readonly [name: string, type: string];

/** A SELECT of the rows, in their order. Values are bound. */
export function givenRows(columns: readonly GivenColumn[], rows: readonly (readonly unknown[])[]): SqlPart {
  const names = columns.map(([name]) => identifier(name));
  if (rows.length === 0) return sql`SELECT ${columns.map(([name, type]) => cast(null, name, type))} WHERE false`;
  const values = rows.map((row) => sql`(${row.map((value, index) => typed(value, columns[index]![1]))})`);
  return sql`SELECT * FROM (VALUES ${values}) AS given(${names})`;
}

function cast(value: unknown, name: string, type: string): SqlPart {
  return sql`${typed(value, type)} AS ${identifier(name)}`;
}

function typed(value: unknown, type: string): SqlPart {
  return sql`CAST(${value} AS ${new SqlPart([type])})`;
}
