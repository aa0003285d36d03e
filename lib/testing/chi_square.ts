/** Pearson's χ² test: do counts agree with weights? */

/** Standard deviations at which a fit is refused: one false alarm in ten thousand. */
const refusalSigmas = 3.719;

/** What a test of counts against weights gives. */
export interface ChiSquareFit {
  readonly statistic: number;
  /** Above this the counts do not follow the weights. */
  readonly critical: number;
  readonly fits: boolean;
}

/**
 * Tests observed counts against relative weights, index by index. The critical value is Wilson and Hilferty's cube-root
 * approximation, which is up to 7 % too mild at one degree of freedom and closer above.
 *
 * @throws {RangeError} If an expected count is below 5, where the test says nothing.
 */
export function chiSquareFit(observed: readonly number[], weights: readonly number[]): ChiSquareFit {
  const total = observed.reduce((sum, count) => sum + count, 0);
  const totalWeight = weights.reduce((sum, weight) => sum + weight, 0);
  let statistic = 0;
  for (const [index, weight] of weights.entries()) {
    const expected = total * weight / totalWeight;
    if (expected < 5) throw new RangeError("Cannot test so few counts: every expected count has to be at least 5");
    statistic += ((observed[index] ?? 0) - expected) ** 2 / expected;
  }
  const variance = 2 / (9 * (weights.length - 1));
  const critical = (weights.length - 1) * (1 - variance + refusalSigmas * Math.sqrt(variance)) ** 3;
  return { statistic, critical, fits: statistic <= critical };
}

/** How often each of the expected values came; a value that is not expected throws. */
export function countValues<T>(values: Iterable<T>, expected: readonly T[]): readonly number[] {
  const places = new Map(expected.map((value, index) => [value, index]));
  const counts = expected.map(() => 0);
  for (const value of values) {
    const place = places.get(value);
    if (place === undefined) throw new RangeError(`Found a value that the list does not hold: ${String(value)}`);
    counts[place] = (counts[place] as number) + 1;
  }
  return counts;
}
