/** Vectors into DuckDB, a data chunk at a time: a Float32Array becomes a fixed-size array column by two copies of memory. */
import { ARRAY, DuckDBDataChunk, FLOAT } from "@duckdb/node-api";
import type { DuckDBAppender } from "@duckdb/node-api";
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

/** Appends to a table with the one column `vector`. No other statement may run on the connection during `append`. */
export class VectorTable {
  readonly #appender: DuckDBAppender;
  readonly #dimensions: number;

  private constructor(appender: DuckDBAppender, dimensions: number) {
    this.#appender = appender;
    this.#dimensions = dimensions;
  }

  /** Makes the table. */
  static async create(
    connection: Connection,
    table: { readonly name: string; readonly dimensions: number },
  ): Promise<VectorTable> {
    await connection.run(`CREATE TABLE ${identifier(table.name)} (vector FLOAT[${table.dimensions}])`);
    return new VectorTable(await connection.native.createAppender(table.name), table.dimensions);
  }

  /** Appends up to one data chunk of rows. */
  append(rows: VectorRows): void {
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
    this.#appender.appendDataChunk(chunk);
  }

  /** Writes what is left. */
  close(): void {
    this.#appender.closeSync();
  }
}

function arrayVector(vector: unknown): ArrayVector {
  const array = vector as ArrayVector;
  if (!(array.childData?.items instanceof Float32Array) || typeof array.validity?.setItemValid !== "function") {
    throw new WeirError("internal", "DuckDB's array vector does not give the memory of its floats");
  }
  return array;
}
