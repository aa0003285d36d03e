import assert from "node:assert/strict";
import fc from "fast-check";
import { principalAxes, project } from "./principal_axes.ts";

const seeded = (length: number, seed: number) =>
  Float32Array.from(fc.sample(fc.double({ min: -1, max: 1, noNaN: true }), { seed, numRuns: length }));

Deno.test("all axes keep every product of two vectors, and the axes stand square to each other", () => {
  const dimensions = 12;
  const values = seeded(40 * dimensions, 5);
  const axes = principalAxes([{ dimensions, values, weight: 1 }], dimensions);
  const projected = project({ dimensions, values }, axes);
  const product = (rows: Float32Array | Float64Array, left: number, right: number) => {
    let sum = 0;
    for (let index = 0; index < dimensions; index++) {
      sum += rows[left * dimensions + index]! * rows[right * dimensions + index]!;
    }
    return sum;
  };
  for (let left = 0; left < 40; left++) {
    assert.ok(Math.abs(product(values, left, 3) - product(projected, left, 3)) < 1e-9);
  }
  for (let one = 0; one < dimensions; one++) {
    for (let other = 0; other <= one; other++) {
      let sum = 0;
      for (let row = 0; row < dimensions; row++) sum += axes[row * dimensions + one]! * axes[row * dimensions + other]!;
      assert.ok(Math.abs(sum - (one === other ? 1 : 0)) < 1e-9);
    }
  }
});

Deno.test("the first axes are those along which the vectors are longest, as often as their weight says", () => {
  const [along, across] = [Float32Array.of(0, 3, 0, -3), Float32Array.of(2, 0)];
  const heavy = (weight: number) =>
    principalAxes([{ dimensions: 2, values: along, weight: 1 }, { dimensions: 2, values: across, weight }], 1);
  assert.deepEqual([...heavy(1)], [0, 1]);
  assert.deepEqual([...heavy(3)], [1, 0]);
});

Deno.test("more axes than dimensions and vectors of two sizes are refused", () => {
  const values = new Float32Array(4);
  assert.throws(() => principalAxes([{ dimensions: 2, values, weight: 1 }], 3), RangeError);
  assert.throws(
    () => principalAxes([{ dimensions: 2, values, weight: 1 }, { dimensions: 4, values, weight: 1 }], 1),
    RangeError,
  );
});
