/** Rows in Arrow's IPC formats, a record batch a chunk. */
import * as arrow from "apache-arrow";
import { arrowColumn, columnData } from "../../notebook/arrow_column.ts";
import type { StatementRows } from "../session.ts";

/** Keeps what a writer writes until it is taken. */
class Pieces extends arrow.AsyncByteQueue {
  #pieces: Uint8Array[] = [];

  override write(bytes: Uint8Array): void {
    this.#pieces.push(bytes);
  }

  take(): readonly Uint8Array[] {
    const taken = this.#pieces;
    this.#pieces = [];
    return taken;
  }
}

/** `stream` can be read while it is written; a `file` ends with a list of its batches, for readers that jump. */
export async function* arrowBytes(
  { names, types, chunks }: StatementRows,
  form: "stream" | "file",
): AsyncGenerator<Uint8Array, void> {
  const columns = types.map(arrowColumn);
  const schema = new arrow.Schema(names.map((name, index) => new arrow.Field(name, columns[index]!.type, true)));
  const writer = form === "stream" ? new arrow.RecordBatchStreamWriter() : new arrow.RecordBatchFileWriter();
  const pieces = new Pieces();
  writer.reset(pieces, schema);
  for await (const chunk of chunks) {
    const children = columns.map((column, index) => columnData(column, chunk.getColumnVector(index)));
    const type = new arrow.Struct(schema.fields);
    const data = arrow.makeData({ type, length: chunk.rowCount, nullCount: 0, children });
    writer.write(new arrow.RecordBatch(schema, data));
    yield* pieces.take();
  }
  writer.finish();
  yield* pieces.take();
}
