import assert from "node:assert/strict";
import { readSafetensors } from "../static/safetensors.ts";
import { safetensorsOf, toInt8 } from "./int8_table.ts";

Deno.test("numbers are rounded on one scale, on which the largest becomes 127", () => {
  assert.deepEqual([...toInt8(Float64Array.of(0.5, -1, 0.004, 0), 2).values], [64, -127, 1, 0]);
  assert.throws(() => toInt8(Float64Array.of(0, 0), 2), RangeError);
  assert.throws(() => toInt8(Float64Array.of(1, NaN), 2), RangeError);
});

Deno.test("the reader of static models finds the table in the file", () => {
  const file = safetensorsOf({ dimensions: 2, values: Int8Array.of(1, -2, 3, -128, 5, 127) });
  const tensor = readSafetensors(file, "model.safetensors").get("embeddings");
  assert.equal(tensor?.type, "I8");
  assert.deepEqual(tensor?.shape, [3, 2]);
  assert.deepEqual([...new Int8Array(Uint8Array.from(tensor!.bytes).buffer)], [1, -2, 3, -128, 5, 127]);
});
