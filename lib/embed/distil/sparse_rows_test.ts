import assert from "node:assert/strict";
import { multiply, multiplyTransposed, tokenCounts } from "./sparse_rows.ts";

Deno.test("a token counts as often as it stands in the text, and products are those of the matrix written out", () => {
  const rows = tokenCounts([[2, 0, 2, 2], [], [1]]);
  assert.deepEqual([...rows.starts], [0, 2, 2, 3]);
  assert.deepEqual([...rows.columns], [2, 0, 1]);
  assert.deepEqual([...rows.values], [3, 1, 1]);
  const product = new Float64Array(6).fill(9);
  multiply(rows, { width: 2, values: Float64Array.of(1, 2, 3, 4, 5, 6) }, product);
  assert.deepEqual([...product], [16, 20, 0, 0, 3, 4]);
  const transposed = new Float64Array(6).fill(9);
  multiplyTransposed(rows, { width: 2, values: Float64Array.of(4, 8, 1, 1, 3, 5) }, transposed);
  assert.deepEqual([...transposed], [4, 8, 3, 5, 12, 24]);
});
