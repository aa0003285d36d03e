/** How far two models agree about the same texts. */
import { Random } from "../../lib/domain/random.ts";
import type { Vectors } from "../../lib/embed/distil/principal_axes.ts";
import { dot, nearest } from "./nearest.ts";

const neighbours = 10;

/** Share of the teacher's ten nearest that are among the model's ten nearest, on average over queries drawn by the seed. */
export function neighbourOverlap(
  teacher: Vectors,
  model: Vectors,
  { queries, seed }: { readonly queries: number; readonly seed: number },
): number {
  const random = new Random(seed, "queries");
  const size = teacher.values.length / teacher.dimensions;
  const drawn = Array.from({ length: queries }, () => random.below(size));
  const find = (vectors: Vectors) =>
    nearest(vectors, rowsOf(vectors, drawn), { count: neighbours, leaveOut: (query) => drawn[query]! });
  return sharedRows(find(teacher), find(model));
}

/** Share of each query's rows that are among those of another answer to it, on average. */
export function sharedRows(wanted: readonly Uint32Array[], found: readonly Uint32Array[]): number {
  const shares = wanted.map((rows, query) => {
    const there = new Set(found[query]);
    return rows.filter((row) => there.has(row)).length / rows.length;
  });
  return shares.reduce((sum, share) => sum + share, 0) / shares.length;
}

/** Spearman's rank correlation of the cosines that two models give pairs drawn by the seed. */
export function cosineRankCorrelation(
  teacher: Vectors,
  model: Vectors,
  { pairs, seed }: { readonly pairs: number; readonly seed: number },
): number {
  const random = new Random(seed, "pairs");
  const size = teacher.values.length / teacher.dimensions;
  const drawn = Array.from({ length: pairs }, () => {
    const left = random.below(size);
    return [left, (left + 1 + random.below(size - 1)) % size] as const;
  });
  const cosines = ({ values, dimensions }: Vectors) =>
    Float64Array.from(
      drawn,
      ([left, right]) => dot(values, right * dimensions, values.subarray(left * dimensions, (left + 1) * dimensions)),
    );
  return correlation(ranks(cosines(teacher)), ranks(cosines(model)));
}

/** Some rows of vectors. */
export function rowsOf({ values, dimensions }: Vectors, rows: readonly number[]): Vectors {
  const found = new Float32Array(rows.length * dimensions);
  rows.forEach((row, place) =>
    found.set(values.subarray(row * dimensions, (row + 1) * dimensions), place * dimensions)
  );
  return { dimensions, values: found };
}

/** Places in ascending order; equal values share the middle of their places. */
export function ranks(values: Float64Array): Float64Array {
  const order = Uint32Array.from(values, (_, index) => index).sort((left, right) => values[left]! - values[right]!);
  const found = new Float64Array(values.length);
  for (let start = 0; start < order.length;) {
    let end = start + 1;
    while (end < order.length && values[order[end]!] === values[order[start]!]) end++;
    for (let place = start; place < end; place++) found[order[place]!] = (start + end - 1) / 2;
    start = end;
  }
  return found;
}

/** Pearson's. */
export function correlation(left: Float64Array, right: Float64Array): number {
  const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [leftMean, rightMean] = [mean(left), mean(right)];
  let [both, leftSquares, rightSquares] = [0, 0, 0];
  for (let index = 0; index < left.length; index++) {
    const one = left[index]! - leftMean;
    const other = right[index]! - rightMean;
    both += one * other;
    leftSquares += one * one;
    rightSquares += other * other;
  }
  return both / Math.sqrt(leftSquares * rightSquares);
}
