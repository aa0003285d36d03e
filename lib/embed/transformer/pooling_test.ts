import assert from "node:assert/strict";
import { normalise, pool, type PoolingMode, poolingModes } from "./pooling.ts";

/** Three tokens of two floats. */
const text = { values: Float32Array.of(1, -2, 3, 4, 5, -6), tokens: 3, size: 2 };

function pooled(...modes: readonly PoolingMode[]): number[] {
  const into = new Float32Array(2 * modes.length).fill(NaN);
  pool(text, modes, into);
  return [...into];
}

Deno.test("each way of pooling takes the tokens it says, and none of what follows them", () => {
  assert.deepEqual(pooled("cls"), [1, -2]);
  assert.deepEqual(pooled("lasttoken"), [5, -6]);
  assert.deepEqual(pooled("max"), [5, 4]);
  assert.deepEqual(pooled("mean"), [3, Math.fround(-4 / 3)]);
  assert.deepEqual(pooled("weightedmean"), [Math.fround(22 / 6), Math.fround(-12 / 6)]);
  assert.deepEqual(pooled("mean_sqrt_len"), [Math.fround(9 / Math.sqrt(3)), Math.fround(-4 / Math.sqrt(3))]);
  assert.equal(poolingModes.length, 6);
});

Deno.test("several ways stand one after another in one vector", () => {
  assert.deepEqual(pooled("cls", "max"), [1, -2, 5, 4]);
});

Deno.test("a vector gets the length 1, and one that has no direction is refused", () => {
  const vector = Float32Array.of(3, 4);
  assert.equal(normalise(vector), undefined);
  assert.deepEqual([...vector], [Math.fround(0.6), Math.fround(0.8)]);
  assert.match(normalise(Float32Array.of(0, 0)) ?? "", /zeros/);
  for (const value of [NaN, Infinity, -Infinity]) {
    assert.match(normalise(Float32Array.of(1, value)) ?? "", /not finite/);
  }
});
