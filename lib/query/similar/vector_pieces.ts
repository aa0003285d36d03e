/** Labels and vectors out of DuckDB, in pieces large enough to keep several threads at work. */
import type { DuckDBDataChunk } from "@duckdb/node-api";
import { WeirError } from "../../errors.ts";
import type { LabelledVectors } from "./graph.ts";

const vectorsPerPiece = 16_384;
/** Rows of a data chunk, at most. */
const rowsPerChunk = 2048;

/** What the binding's vectors hold but do not declare (1.5.5-r.5); checked before it is used. */
interface LabelVector {
  readonly items: BigUint64Array;
}
interface ArrayVector {
  readonly childData: { readonly items: Float32Array };
}

/** Collects data chunks of a label and a vector. */
export class VectorPieces {
  readonly #dimensions: number;
  #labels = new BigUint64Array(vectorsPerPiece);
  #vectors: Float32Array<ArrayBuffer>;
  #count = 0;

  constructor(dimensions: number) {
    this.#dimensions = dimensions;
    this.#vectors = new Float32Array(vectorsPerPiece * dimensions);
  }

  /** Whether the next chunk may not fit. */
  get isFull(): boolean {
    return this.#count + rowsPerChunk > vectorsPerPiece;
  }

  /** Copies a chunk: its memory is DuckDB's. */
  put(chunk: DuckDBDataChunk): void {
    const rows = chunk.rowCount;
    const vectors = (chunk.getColumnVector(1) as unknown as ArrayVector).childData?.items;
    if (!(vectors instanceof Float32Array)) throw new WeirError("internal", "DuckDB gives no memory of vectors");
    this.#labels.set(labelsOf(chunk), this.#count);
    this.#vectors.set(vectors.subarray(0, rows * this.#dimensions), this.#count * this.#dimensions);
    this.#count += rows;
  }

  /** What was collected, with buffers of its own. */
  take(): LabelledVectors {
    const labels = this.#labels.slice(0, this.#count);
    const vectors = this.#vectors.slice(0, this.#count * this.#dimensions);
    this.#count = 0;
    return { labels, vectors };
  }
}

/** The labels that a chunk has as its first column, in memory of their own. */
export function labelsOf(chunk: DuckDBDataChunk): BigUint64Array<ArrayBuffer> {
  const labels = (chunk.getColumnVector(0) as unknown as LabelVector).items;
  if (!(labels instanceof BigUint64Array)) throw new WeirError("internal", "DuckDB gives no memory of labels");
  return labels.slice(0, chunk.rowCount) as BigUint64Array<ArrayBuffer>;
}
