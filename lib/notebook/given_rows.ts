/** Rows that are there already, as a table: so that what no SQL has found is shown, joined and charted like everything else. */
import { DuckDBDataChunk, type DuckDBType } from "@duckdb/node-api";
import { identifier as quoted } from "../engine/quote.ts";
import { boundValue, widened } from "./bound_value.ts";
import type { Query } from "./query.ts";
import { identifier, sql, type SqlPart } from "./sql_part.ts";

/** A column's name and DuckDB's name of its type. */
export type GivenColumn = readonly [name: string, type: string];

/** Rows, values in the order of the columns. */
export interface GivenRows {
  readonly columns: readonly GivenColumn[];
  readonly rows: readonly (readonly unknown[])[];
}

const rowsPerChunk = 2048;
let givenTables = 0;

/** Makes a table of the rows, which lasts as long as the database, and gives a SELECT of it. */
export async function givenTable(database: Query["database"], { columns, rows }: GivenRows): Promise<SqlPart> {
  const table = `weir_given_${++givenTables}`;
  using open = new DisposableStack();
  const connection = open.adopt(await database.connect(), (connected) => connected.close());
  const declared = columns.map(([name, type]) => `${quoted(name)} ${type}`).join(", ");
  await connection.run(`CREATE TABLE ${quoted(table)} (${declared})`);
  await connection.exclusively(async (native) => {
    const appender = await native.createAppender(table);
    const types = columns.map((_, index) => appender.columnType(index));
    for (let first = 0; first < rows.length; first += rowsPerChunk) {
      appender.appendDataChunk(chunkOf(rows.slice(first, first + rowsPerChunk), types));
    }
    appender.closeSync();
  });
  return sql`SELECT * FROM ${identifier(table)}`;
}

function chunkOf(rows: GivenRows["rows"], types: readonly DuckDBType[]): DuckDBDataChunk {
  const chunk = DuckDBDataChunk.create(types, rows.length);
  for (const [index, type] of types.entries()) {
    chunk.setColumnValues(index, rows.map((row) => widened(boundValue(row[index]).value, type)));
  }
  return chunk;
}
