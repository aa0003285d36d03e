/**
 * Bends a table of token vectors until their sums over texts point where the teacher's vectors do. Sums, though a static model
 * takes means: both point the same way, and a sum does not ask a part of a text to count less because another part is long.
 *
 * Ridge regression towards the table that is there: minimises `|counts · table − targets|² + ridge · |table − given|²`. A token
 * seen often gets what the texts say, one seen seldom stays near what the teacher says of it alone, and one never seen stays
 * as it was. The solution is unique and found in a fixed order, so the same input gives the same bytes.
 */
import { NormalEquations } from "./normal_equations.ts";
import { type DenseRows, multiply, multiplyTransposed, type SparseRows } from "./sparse_rows.ts";

/** What {@linkcode fitTable} goes by. */
export interface FitOptions {
  /** A row per text: how often it holds each token. */
  readonly texts: SparseRows;
  /** A row per text: the teacher's vector, of length 1 (L2). */
  readonly targets: DenseRows;
  /** How much each text counts. */
  readonly weights: Float64Array;
  /** A row per token. */
  readonly table: DenseRows;
  /** How strongly a token is held to where it was, against one text of weight 1 that it stands in. */
  readonly ridge: number;
  /**
   * How often the fit is made, each time with targets stretched to the length that the sum came out at, because lengths do not
   * count in the end: many tokens that differ have a longer sum than a few.
   */
  readonly rounds: number;
  readonly signal?: AbortSignal;
}

/** A target is never stretched to less than this share of the average length, or it would count for nothing. */
const shortestTarget = 0.05;

/** Tokens that are fitted at most: their matrix takes half a gigabyte. The others of a corpus stand in few of its texts. */
const tokensMax = 8192;

/** The fitted table; the given one is left as it is. */
export function fitTable(options: FitOptions): Float64Array {
  const { table, targets, texts, weights, ridge, rounds, signal } = options;
  const { width } = table;
  const tokens = mostFrequent(texts);
  const counts = onlyColumns(texts, tokens);
  const equations = new NormalEquations(counts, { size: tokens.length, weights, ridge });
  const given = new Float64Array(targets.values.length);
  multiply(texts, table, given);
  const fitted = Float64Array.from(table.values);
  const missing = new Float64Array(given.length);
  const moved = new Float64Array(tokens.length * width);
  let lengths = new Float64Array(missing.length / width).fill(1);
  for (let round = 0; round < rounds; round++) {
    signal?.throwIfAborted();
    forEachRow(missing, width, (row, place) => {
      missing[place] = weights[row]! * (lengths[row]! * targets.values[place]! - given[place]!);
    });
    multiplyTransposed(counts, { width, values: missing }, moved);
    equations.solve(moved, width);
    tokens.forEach((token, row) => {
      for (let column = 0; column < width; column++) {
        fitted[token * width + column] = table.values[token * width + column]! + moved[row * width + column]!;
      }
    });
    multiply(texts, { width, values: fitted }, missing);
    lengths = lengthsAlong(missing, targets);
  }
  return fitted;
}

/** The tokens of texts, in the order of their ids; where they are too many those of most texts. */
function mostFrequent({ columns }: SparseRows): Uint32Array {
  const counts = new Map<number, number>();
  for (const token of columns) counts.set(token, (counts.get(token) ?? 0) + 1);
  const found = [...counts].toSorted(([left, leftCount], [right, rightCount]) =>
    rightCount - leftCount || left - right
  );
  return Uint32Array.from(found.slice(0, tokensMax), ([token]) => token).sort();
}

/** Rows without the columns that are not wanted, the others being called by their place among the wanted. */
function onlyColumns({ starts, columns, values }: SparseRows, wanted: Uint32Array): SparseRows {
  const places = new Map(Array.from(wanted, (column, place) => [column, place]));
  const kept = { starts: new Uint32Array(starts.length), columns: [] as number[], values: [] as number[] };
  for (let row = 0; row + 1 < starts.length; row++) {
    for (let entry = starts[row]!; entry < starts[row + 1]!; entry++) {
      const place = places.get(columns[entry]!);
      if (place === undefined) continue;
      kept.columns.push(place);
      kept.values.push(values[entry]!);
    }
    kept.starts[row + 1] = kept.columns.length;
  }
  return { starts: kept.starts, columns: Uint32Array.from(kept.columns), values: Float64Array.from(kept.values) };
}

/** How far each sum goes in its target's direction, one on average. */
function lengthsAlong(sums: Float64Array, { width, values }: DenseRows): Float64Array<ArrayBuffer> {
  const lengths = new Float64Array(values.length / width);
  forEachRow(sums, width, (row, place) => lengths[row]! += sums[place]! * values[place]!);
  const bounded = lengths.map((length) => Math.max(shortestTarget, length));
  const sum = bounded.reduce((total, length) => total + length, 0);
  return bounded.map((length) => length * bounded.length / sum);
}

function forEachRow(
  values: Float64Array,
  width: number,
  visit: (row: number, place: number, column: number) => void,
): void {
  for (let row = 0, place = 0; place < values.length; row++) {
    for (let column = 0; column < width; column++) visit(row, place++, column);
  }
}
