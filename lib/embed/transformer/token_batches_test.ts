import assert from "node:assert/strict";
import fc from "fast-check";
import { planBatches } from "./token_batches.ts";

Deno.test("every text stands in one batch, no batch is over its budget, and the longest come first", () => {
  const lengths = fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 200 });
  const budget = fc.record({ tokens: fc.integer({ min: 1, max: 2000 }), texts: fc.integer({ min: 1, max: 50 }) });
  fc.assert(
    fc.property(lengths, budget, (lengths, budget) => {
      const batches = planBatches(lengths, budget);
      assert.deepEqual(batches.flat().toSorted((left, right) => left - right), [...lengths.keys()]);
      for (const batch of batches) {
        const longest = Math.max(...batch.map((text) => lengths[text]!));
        assert.ok(batch.length === 1 || batch.length <= budget.texts && longest * batch.length <= budget.tokens);
      }
      const inOrder = batches.flat().map((text) => lengths[text]!);
      assert.deepEqual(inOrder, inOrder.toSorted((left, right) => right - left));
    }),
    { seed: 1, numRuns: 300 },
  );
});
