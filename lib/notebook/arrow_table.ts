/** Chunks of DuckDB as an Arrow table. */
import type { DuckDBDataChunk, DuckDBType } from "@duckdb/node-api";
import * as arrow from "apache-arrow";
import { arrowColumn, columnData } from "./arrow_column.ts";

/** What a table is made of. */
export interface ArrowSource {
  readonly names: readonly string[];
  readonly types: readonly DuckDBType[];
  readonly chunks: AsyncIterable<DuckDBDataChunk>;
}

/** All chunks as one table, each a record batch. */
export async function arrowTable({ names, types, chunks }: ArrowSource): Promise<arrow.Table> {
  const columns = types.map(arrowColumn);
  const schema = new arrow.Schema(names.map((name, index) => new arrow.Field(name, columns[index]!.type, true)));
  const batches: arrow.RecordBatch[] = [];
  for await (const chunk of chunks) {
    const children = columns.map((column, index) => columnData(column, chunk.getColumnVector(index)));
    const type = new arrow.Struct(schema.fields);
    batches.push(
      new arrow.RecordBatch(schema, arrow.makeData({ type, length: chunk.rowCount, nullCount: 0, children })),
    );
  }
  return new arrow.Table(schema, batches);
}
