import assert from "node:assert/strict";
import { chiSquareFit, countValues } from "./chi_square.ts";

Deno.test("counts that follow the weights fit, and counts that do not are refused", () => {
  assert.ok(chiSquareFit([480, 520], [48, 52]).fits);
  assert.ok(!chiSquareFit([520, 480], [40, 60]).fits);
});

Deno.test("critical values are those of the tables at p = 0.0001, or a little milder", () => {
  for (const [freedom, table] of [[1, 15.137], [3, 21.108], [10, 35.564]] as const) {
    const { critical } = chiSquareFit(new Array(freedom + 1).fill(9), new Array(freedom + 1).fill(1));
    assert.ok(critical >= table * 0.999 && critical <= table * 1.08, `${freedom}: ${critical}`);
  }
});

Deno.test("a value that is not expected is not counted away", () => {
  assert.deepEqual(countValues(["a", "b", "a"], ["a", "b"]), [2, 1]);
  assert.throws(() => countValues(["c"], ["a"]), RangeError);
});
