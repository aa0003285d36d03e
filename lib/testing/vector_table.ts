/** Vectors into DuckDB, a data chunk at a time: a Float32Array becomes a fixed-size array column by two copies of memory. */
import { ARRAY, type DuckDBAppender, DuckDBDataChunk, FLOAT } from "@duckdb/node-api";
import type { VectorBatch } from "../embed/embedder.ts";
import type { Connection } from "../engine/connection.ts";
import { identifier } from "../engine/quote.ts";
import { WeirError } from "../errors.ts";

/** What the binding's array vector holds but does not declare (1.5.5-r.5); checked before it is used. */
interface ArrayVector {
  readonly childData: { readonly items: Float32Array };
  readonly validity: { setItemValid(row: number, valid: boolean): void };
  flush(): void;
}

/** Rows to append: vectors for some of them, NULL for the others. */
export interface VectorRows {
  readonly rows: number;
  /** Row of each vector. */
  readonly places: Uint16Array;
  /** Which of the batch's vectors count. */
  readonly usable: (index: number) => boolean;
  readonly batch: VectorBatch;
}

/**
 * A table with the one column `vector`. It has its rows once it is disposed: an appender of its own for each chunk, with a
 * transaction each, took twice as long (128 dimensions: 7.4 µs a row against 3.6).
 */
export class VectorTable implements AsyncDisposable {
  readonly #connection: Connection;
  readonly #appender: DuckDBAppender;
  readonly #dimensions: number;

  private constructor(
    connection: Connection,
    parts: { readonly appender: DuckDBAppender; readonly dimensions: number },
  ) {
    this.#connection = connection;
    this.#appender = parts.appender;
    this.#dimensions = parts.dimensions;
  }

  /** Makes the table. */
  static async create(
    connection: Connection,
    table: { readonly name: string; readonly dimensions: number },
  ): Promise<VectorTable> {
    await connection.run(`CREATE TABLE ${identifier(table.name)} (vector FLOAT[${table.dimensions}])`);
    const appender = await connection.exclusively((native) => native.createAppender(table.name));
    return new VectorTable(connection, { appender, dimensions: table.dimensions });
  }

  /** Appends up to one data chunk of rows. */
  async append(rows: VectorRows): Promise<void> {
    const chunk = this.#chunk(rows);
    await this.#connection.exclusively(() => this.#appender.appendDataChunk(chunk));
  }

  /** Writes what was appended into the table. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.exclusively(() => this.#appender.closeSync());
  }

  #chunk(rows: VectorRows): DuckDBDataChunk {
    const dimensions = this.#dimensions;
    const { vectors } = rows.batch;
    const chunk = DuckDBDataChunk.create([ARRAY(FLOAT, dimensions)], rows.rows);
    const column = arrayVector(chunk.getColumnVector(0));
    const items = column.childData.items;
    let next = 0;
    for (let row = 0; row < rows.rows; row++) {
      const isNext = rows.places[next] === row && next < rows.places.length;
      if (isNext && rows.usable(next)) {
        items.set(vectors.subarray(next * dimensions, (next + 1) * dimensions), row * dimensions);
      } else column.validity.setItemValid(row, false);
      if (isNext) next++;
    }
    column.flush();
    return chunk;
  }
}

function arrayVector(vector: unknown): ArrayVector {
  const array = vector as ArrayVector;
  if (!(array.childData?.items instanceof Float32Array) || typeof array.validity?.setItemValid !== "function") {
    throw new WeirError("internal", "DuckDB's array vector does not give the memory of its floats");
  }
  return array;
}
