/**
 * Bends a table of token vectors until their sums over texts point where the teacher's vectors do. Sums, though a static model
 * takes means: both point the same way, and a sum does not ask a part of a text to count less because another part is long.
 *
 * Ridge regression towards the table that is there: minimises `|counts · table − targets|² + ridge · |table − given|²`. A token
 * seen often gets what the texts say, one seen seldom stays near what the teacher says of it alone, and one never seen stays
 * as it was. The solution is unique; conjugate gradients find it in fixed order from zero, so the same input gives the same bytes.
 */
import { type DenseRows, multiply, multiplyTransposed, type SparseRows } from "./sparse_rows.ts";

/** What {@linkcode fitTable} goes by. */
export interface FitOptions {
  /** A row per text: how often it holds each token. */
  readonly texts: SparseRows;
  /** A row per text: the teacher's vector, of length 1 (L2). */
  readonly targets: DenseRows;
  /** A row per token. */
  readonly table: DenseRows;
  /** How strongly a token is held to where it was, against one text that it stands in. */
  readonly ridge: number;
  /**
   * How often the fit is made, each time with targets stretched to the length that the sum came out at, because lengths do not
   * count in the end: many tokens that differ have a longer sum than a few.
   */
  readonly rounds: number;
  readonly signal?: AbortSignal;
}

/** The residual against the right side at which a solution counts as found; int8 keeps two digits of it. */
const tolerance = 1e-4;
const stepsMax = 400;
/** A target is never stretched to less than this share of the average length, or it would count for nothing. */
const shortestTarget = 0.05;

/** The fitted table; the given one is left as it is. */
export function fitTable(options: FitOptions): Float64Array {
  const { table, rounds } = options;
  const { width } = table;
  const held = onlyHeld(options);
  const given = rowsAt(table, held.tokens);
  const fitted = Float64Array.from(given);
  const missing = new Float64Array(options.targets.values.length);
  const moved = new Float64Array(given.length);
  let lengths = new Float64Array(missing.length / width).fill(1);
  for (let round = 0; round < rounds; round++) {
    multiply(held.texts, { width, values: given }, missing);
    forEachRow(missing, width, (row, place) => {
      missing[place] = lengths[row]! * options.targets.values[place]! - missing[place]!;
    });
    solve({ ...options, texts: held.texts }, { missing, moved });
    for (let place = 0; place < fitted.length; place++) fitted[place] = given[place]! + moved[place]!;
    multiply(held.texts, { width, values: fitted }, missing);
    lengths = lengthsAlong(missing, options.targets);
  }
  const whole = Float64Array.from(table.values);
  held.tokens.forEach((token, row) => whole.set(fitted.subarray(row * width, (row + 1) * width), token * width));
  return whole;
}

/** The texts over the tokens that stand in any, which are a small part of all: the others do not move. */
function onlyHeld({ texts }: FitOptions): { readonly tokens: Uint32Array; readonly texts: SparseRows } {
  const tokens = Uint32Array.from(new Set(texts.columns)).sort();
  const places = new Map(Array.from(tokens, (token, place) => [token, place]));
  return { tokens, texts: { ...texts, columns: texts.columns.map((token) => places.get(token)!) } };
}

function rowsAt({ width, values }: DenseRows, rows: Uint32Array): Float64Array {
  const found = new Float64Array(rows.length * width);
  rows.forEach((row, place) => found.set(values.subarray(row * width, (row + 1) * width), place * width));
  return found;
}

/** How far each sum goes in its target's direction, one on average. */
function lengthsAlong(sums: Float64Array, { width, values }: DenseRows): Float64Array<ArrayBuffer> {
  const lengths = new Float64Array(values.length / width);
  forEachRow(sums, width, (row, place) => lengths[row]! += sums[place]! * values[place]!);
  const bounded = lengths.map((length) => Math.max(shortestTarget, length));
  const sum = bounded.reduce((total, length) => total + length, 0);
  return bounded.map((length) => length * bounded.length / sum);
}

/**
 * Conjugate gradients on `(countsᵀ · counts + ridge) · moved = countsᵀ · missing`, every column by itself but all in step;
 * `moved` is where it starts and what it ends with. Preconditioned by the diagonal: tokens are seen from once to in every text.
 */
function solve(
  { texts, table: { width }, ridge, signal }: FitOptions,
  { missing, moved }: { readonly missing: Float64Array; readonly moved: Float64Array },
): void {
  const scale = diagonalOf(texts, { tokens: moved.length / width, ridge });
  const perText = new Float64Array(missing.length);
  const image = new Float64Array(moved.length);
  const apply = (values: Float64Array) => {
    multiply(texts, { width, values }, perText);
    multiplyTransposed(texts, { width, values: perText }, image);
    for (let place = 0; place < image.length; place++) image[place]! += ridge * values[place]!;
  };
  const residual = new Float64Array(moved.length);
  multiplyTransposed(texts, { width, values: missing }, residual);
  const wanted = columnSums(residual, residual, width);
  apply(moved);
  const conditioned = new Float64Array(moved.length);
  forEachRow(residual, width, (row, place) => {
    residual[place]! -= image[place]!;
    conditioned[place] = residual[place]! / scale[row]!;
  });
  const direction = Float64Array.from(conditioned);
  let progress = columnSums(residual, conditioned, width);
  for (let step = 0; step < stepsMax; step++) {
    signal?.throwIfAborted();
    const left = columnSums(residual, residual, width);
    if (left.every((value, column) => value <= tolerance ** 2 * wanted[column]!)) return;
    apply(direction);
    const curvature = columnSums(direction, image, width);
    const lengths = progress.map((value, column) => curvature[column]! > 0 ? value / curvature[column]! : 0);
    forEachRow(moved, width, (row, place, column) => {
      moved[place]! += lengths[column]! * direction[place]!;
      residual[place]! -= lengths[column]! * image[place]!;
      conditioned[place] = residual[place]! / scale[row]!;
    });
    const next = columnSums(residual, conditioned, width);
    const kept = progress.map((value, column) => value > 0 ? next[column]! / value : 0);
    forEachRow(direction, width, (_, place, column) => {
      direction[place] = conditioned[place]! + kept[column]! * direction[place]!;
    });
    progress = next;
  }
}

function diagonalOf(
  { columns, values }: SparseRows,
  { tokens, ridge }: { readonly tokens: number; readonly ridge: number },
): Float64Array {
  const diagonal = new Float64Array(tokens).fill(ridge);
  for (let entry = 0; entry < columns.length; entry++) diagonal[columns[entry]!]! += values[entry]! * values[entry]!;
  return diagonal;
}

/** Column by column the sum of products. */
function columnSums(left: Float64Array, right: Float64Array, width: number): Float64Array {
  const sums = new Float64Array(width);
  forEachRow(left, width, (_, place, column) => sums[column]! += left[place]! * right[place]!);
  return sums;
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
