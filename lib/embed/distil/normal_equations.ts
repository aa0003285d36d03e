/**
 * The matrix of a ridge regression, factored once for any number of right sides: `countsᵀ · weights · counts + ridge`. By Cholesky's
 * method (Golub and Van Loan, Matrix Computations, §4.2.3), in an order that depends on sizes alone, so that the same numbers give
 * the same bytes.
 */
import type { SparseRows } from "./sparse_rows.ts";

/** Rows of the factor that are made at once: each row above is then read a quarter as often. */
const rowsPerBlock = 4;

/** A factored matrix of so many rows and columns. */
export class NormalEquations {
  readonly #size: number;
  /** The lower triangle, row behind row; above it nothing is read. */
  readonly #factor: Float64Array;

  /**
   * @param counts Columns below `size`.
   * @param options `weights` holds how much each row counts; `ridge` above 0 makes every such matrix one that has a factor.
   */
  constructor(
    counts: SparseRows,
    { size, weights, ridge }: { readonly size: number; readonly weights: Float64Array; readonly ridge: number },
  ) {
    this.#size = size;
    this.#factor = new Float64Array(size * size);
    addProducts(this.#factor, { counts, size, weights });
    for (let row = 0; row < size; row++) this.#factor[row * size + row]! += ridge;
    for (let row = 0; row < size; row += rowsPerBlock) this.#factorRows(row, Math.min(size, row + rowsPerBlock));
  }

  /** Replaces right sides of `width` columns, a row per row of the matrix, by the solutions. */
  solve(values: Float64Array, width: number): void {
    const factor = this.#factor;
    const size = this.#size;
    const subtract = (target: number, source: number, times: number) => {
      if (times === 0) return;
      for (let index = 0; index < width; index++) {
        values[target * width + index]! -= times * values[source * width + index]!;
      }
    };
    const divide = (row: number) => {
      const diagonal = factor[row * size + row]!;
      for (let index = row * width; index < (row + 1) * width; index++) values[index]! /= diagonal;
    };
    for (let row = 0; row < size; row++) {
      for (let before = 0; before < row; before++) subtract(row, before, factor[row * size + before]!);
      divide(row);
    }
    for (let row = size - 1; row >= 0; row--) {
      divide(row);
      for (let before = 0; before < row; before++) subtract(before, row, factor[row * size + before]!);
    }
  }

  /** Of a block of rows first what the rows above it decide, four at a time, then the block itself. */
  #factorRows(first: number, end: number): void {
    const factor = this.#factor;
    const size = this.#size;
    if (end - first === rowsPerBlock) { for (let above = 0; above < first; above++) this.#factorFour(first, above); }
    for (let row = first; row < end; row++) {
      for (let column = end - first === rowsPerBlock ? first : 0; column <= row; column++) {
        let value = factor[row * size + column]!;
        for (let index = 0; index < column; index++) {
          value -= factor[row * size + index]! * factor[column * size + index]!;
        }
        factor[row * size + column] = column === row ? Math.sqrt(value) : value / factor[column * size + column]!;
      }
    }
  }

  /** One column of four rows. */
  #factorFour(row: number, column: number): void {
    const factor = this.#factor;
    const size = this.#size;
    const [first, second, third, fourth] = [row * size, (row + 1) * size, (row + 2) * size, (row + 3) * size];
    const above = column * size;
    let [a, b, c, d] = [
      factor[first + column]!,
      factor[second + column]!,
      factor[third + column]!,
      factor[fourth + column]!,
    ];
    for (let index = 0; index < column; index++) {
      const value = factor[above + index]!;
      a -= factor[first + index]! * value;
      b -= factor[second + index]! * value;
      c -= factor[third + index]! * value;
      d -= factor[fourth + index]! * value;
    }
    const diagonal = factor[above + column]!;
    factor[first + column] = a / diagonal;
    factor[second + column] = b / diagonal;
    factor[third + column] = c / diagonal;
    factor[fourth + column] = d / diagonal;
  }
}

/** The lower triangle of `countsᵀ · weights · counts`. */
function addProducts(
  into: Float64Array,
  { counts: { starts, columns, values }, size, weights }: {
    readonly counts: SparseRows;
    readonly size: number;
    readonly weights: Float64Array;
  },
): void {
  for (let row = 0; row + 1 < starts.length; row++) {
    for (let left = starts[row]!; left < starts[row + 1]!; left++) {
      const weighted = weights[row]! * values[left]!;
      for (let right = starts[row]!; right < starts[row + 1]!; right++) {
        if (columns[right]! <= columns[left]!) {
          into[columns[left]! * size + columns[right]!]! += weighted * values[right]!;
        }
      }
    }
  }
}
