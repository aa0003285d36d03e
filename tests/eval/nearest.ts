/** The nearest of many vectors, found by comparing with every one: what an evaluation is measured by must not be approximate. */
import type { Vectors } from "../../lib/embed/distil/principal_axes.ts";

/**
 * Row numbers of the `count` nearest by cosine of every query, the nearest first; of two as near the one with the smaller
 * number. Vectors have length 1.
 *
 * @param leaveOut Says of a query which row is never an answer: itself, where queries are rows. Default: none.
 */
export function nearest(
  rows: Vectors,
  queries: Vectors,
  { count, leaveOut = () => -1 }: { readonly count: number; readonly leaveOut?: (query: number) => number },
): readonly Uint32Array[] {
  const { dimensions } = rows;
  const size = rows.values.length / dimensions;
  return Array.from({ length: queries.values.length / dimensions }, (_, query) => {
    const best = new Best(Math.min(count, size));
    const vector = queries.values.subarray(query * dimensions, (query + 1) * dimensions);
    const left = leaveOut(query);
    for (let row = 0; row < size; row++) {
      if (row !== left) best.offer(row, dot(rows.values, row * dimensions, vector));
    }
    return best.rows();
  });
}

/** The product of a vector and a row that begins at a place. */
export function dot(values: Float32Array, start: number, vector: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < vector.length; index++) sum += values[start + index]! * vector[index]!;
  return sum;
}

/** A short list kept in order. */
class Best {
  readonly #rows: number[] = [];
  readonly #scores: number[] = [];
  readonly #count: number;

  constructor(count: number) {
    this.#count = count;
  }

  offer(row: number, score: number): void {
    let place = this.#rows.length;
    if (place === this.#count && score <= this.#scores[place - 1]!) return;
    while (place > 0 && score > this.#scores[place - 1]!) place--;
    this.#rows.splice(place, 0, row);
    this.#scores.splice(place, 0, score);
    this.#rows.length = this.#scores.length = Math.min(this.#rows.length, this.#count);
  }

  rows(): Uint32Array {
    return Uint32Array.from(this.#rows);
  }
}
