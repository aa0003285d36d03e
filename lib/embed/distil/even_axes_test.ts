import assert from "node:assert/strict";
import { evenAxes } from "./even_axes.ts";

/** Along the first axis twice as far out as along the second, along the third not at all. */
const texts = { width: 3, values: Float64Array.of(2, 1, 0, -2, -1, 0) };
const table = Float64Array.of(2, 1, 5, 4, 3, 6);

Deno.test("axes are divided by how far texts lie out along them, and one along which none does is left alone", () =>
  assert.deepEqual(evenAxes(table, texts, 1), Float64Array.of(1, 1, 5, 2, 3, 6)));

Deno.test("half the power divides by the root, and none leaves the table as it is", () => {
  assert.deepEqual(evenAxes(table, texts, 0), table);
  const [first, second] = evenAxes(table, texts, 0.5);
  assert.ok(Math.abs(first! - Math.SQRT2) < 1e-12);
  assert.equal(second, 1);
});
