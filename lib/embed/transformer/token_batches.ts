/** Which texts go through the model together: padding is work for nothing, so texts of about one length do. */

/** What a batch may take. */
export interface BatchBudget {
  /** Texts times the tokens of the longest: what a batch costs, padding included. */
  readonly tokens: number;
  readonly texts: number;
}

/**
 * Batches of texts, longest first, so that the largest memory is asked for at once. Every text stands in exactly one; one that is
 * longer than the budget goes alone.
 *
 * @param lengths Tokens of each text.
 * @returns Indices of the texts, batch by batch.
 *
 * @example
 * ```ts
 * import { planBatches } from "./token_batches.ts";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(planBatches([3, 9, 3, 8], { tokens: 20, texts: 100 }), [[1, 3], [0, 2]]);
 * ```
 */
export function planBatches(lengths: readonly number[], budget: BatchBudget): readonly (readonly number[])[] {
  const order = lengths.map((_, text) => text).sort((left, right) => lengths[right]! - lengths[left]! || left - right);
  const batches: number[][] = [];
  let most = 0;
  for (const text of order) {
    const batch = batches.at(-1);
    if (batch === undefined || batch.length === most) {
      batches.push([text]);
      most = Math.max(1, Math.min(budget.texts, Math.floor(budget.tokens / lengths[text]!)));
    } else batch.push(text);
  }
  return batches;
}
