/** Vectors into DuckDB, a data chunk at a time: a Float32Array becomes a fixed-size array column by two copies of memory. */
import { ARRAY, DuckDBDataChunk, FLOAT } from "@duckdb/node-api";
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

/** A table with the one column `vector`. */
export class VectorTable {
  readonly #connection: Connection;
  readonly #name: string;
  readonly #dimensions: number;

  private constructor(connection: Connection, table: { readonly name: string; readonly dimensions: number }) {
    this.#connection = connection;
    this.#name = table.name;
    this.#dimensions = table.dimensions;
  }

  /** Makes the table. */
  static async create(
    connection: Connection,
    table: { readonly name: string; readonly dimensions: number },
  ): Promise<VectorTable> {
    await connection.run(`CREATE TABLE ${identifier(table.name)} (vector FLOAT[${table.dimensions}])`);
    return new VectorTable(connection, table);
  }

  /** Appends up to one data chunk of rows. */
  async append(rows: VectorRows): Promise<void> {
    const chunk = this.#chunk(rows);
    await this.#connection.exclusively(async (native) => {
      const appender = await native.createAppender(this.#name);
      appender.appendDataChunk(chunk);
      appender.closeSync();
    });
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
