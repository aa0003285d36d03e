/** Texts as rows of a sparse matrix: which tokens a text holds, and how much each counts. */

/** Rows of few entries, one behind another (compressed sparse rows). */
export interface SparseRows {
  /** Where each row begins in the other two, and where the last ends: one more than there are rows. */
  readonly starts: Uint32Array;
  readonly columns: Uint32Array;
  readonly values: Float64Array;
}

/** The rows of token lists: how often each token stands in its text. */
export function tokenCounts(texts: readonly (readonly number[])[]): SparseRows {
  const counted = texts.map((tokens) => {
    const counts = new Map<number, number>();
    for (const token of tokens) counts.set(token, (counts.get(token) ?? 0) + 1);
    return counts;
  });
  const starts = new Uint32Array(texts.length + 1);
  counted.forEach((counts, text) => starts[text + 1] = starts[text]! + counts.size);
  return {
    starts,
    columns: Uint32Array.from(counted.flatMap((counts) => [...counts.keys()])),
    values: Float64Array.from(counted.flatMap((counts) => [...counts.values()])),
  };
}

/** A matrix of `width` columns, row behind row. */
export interface DenseRows {
  readonly width: number;
  readonly values: Float64Array;
}

/** `into` = rows · table. */
export function multiply(rows: SparseRows, table: DenseRows, into: Float64Array): void {
  const { width, values: held } = table;
  into.fill(0);
  for (let row = 0; row + 1 < rows.starts.length; row++) {
    const target = row * width;
    for (let entry = rows.starts[row]!; entry < rows.starts[row + 1]!; entry++) {
      const value = rows.values[entry]!;
      const source = rows.columns[entry]! * width;
      for (let index = 0; index < width; index++) into[target + index]! += value * held[source + index]!;
    }
  }
}

/** `into` = transposed rows · dense, where `dense` has a row per row. */
export function multiplyTransposed(rows: SparseRows, dense: DenseRows, into: Float64Array): void {
  const { width, values: held } = dense;
  into.fill(0);
  for (let row = 0; row + 1 < rows.starts.length; row++) {
    const source = row * width;
    for (let entry = rows.starts[row]!; entry < rows.starts[row + 1]!; entry++) {
      const value = rows.values[entry]!;
      const target = rows.columns[entry]! * width;
      for (let index = 0; index < width; index++) into[target + index]! += value * held[source + index]!;
    }
  }
}
