import assert from "node:assert/strict";
import { assertAssembled } from "../../testing/assembled.ts";
import { scattered } from "../../testing/static_model_files.ts";
import { RowMemory } from "./row_memory.ts";

Deno.test("the WebAssembly that runs is what the text beside it assembles to", () =>
  assertAssembled(new URL("./sum_rows.wat", import.meta.url)));

for (const dimensions of [1, 3, 32, 33, 128, 384]) {
  Deno.test(`rows of ${dimensions} floats are added up in the order of their addresses, and brought to length 1`, () => {
    const memory = new RowMemory(dimensions, { floats: 20 });
    const list = memory.takeList(40);
    const first = memory.takeRows(10);
    const sum = memory.takeRows(1);
    const rows = Array.from({ length: 10 }, (_, row) => Float32Array.from(scattered(dimensions, row + 1)));
    rows.forEach((row, index) => memory.row(first + index * memory.rowBytes).set(row));
    const order = [3, 3, 9, 0, 1, 7];
    list.set(order.map((row) => first + row * memory.rowBytes));
    memory.sum(list, order.length, sum);
    const expected = new Float32Array(dimensions);
    for (const row of order) expected.forEach((value, column) => expected[column] = value + rows[row]![column]!);
    assert.deepEqual(memory.row(sum), expected);
    const length = Math.hypot(...expected);
    assert.equal(memory.normalise(sum), true);
    memory.row(sum).forEach((value, column) => assert.ok(Math.abs(value - expected[column]! / length) < 1e-7));
    rows.forEach((row, index) => assert.deepEqual(memory.row(first + index * memory.rowBytes), row));
  });
}

for (const dimensions of [1, 33, 128]) {
  Deno.test(`255 rows of ${dimensions} bytes are added up exactly, as low and as high as they go`, () => {
    const memory = new RowMemory(dimensions, { floats: 1, bytes: 4 });
    const list = memory.takeList(255);
    const sum = memory.takeRows(1);
    const first = memory.takeByteRows(4);
    const values = [-128, 127, -1, 100].map((value) =>
      Int8Array.from({ length: dimensions }, (_, column) => value - column % 3)
    );
    values[0]!.fill(-128);
    values[1]!.fill(127);
    values.forEach((row, index) => memory.byteRow(first + index * memory.byteRowBytes).set(row));
    for (const order of [[0], [1], [0, 1, 2, 3], [2, 3]]) {
      for (let at = 0; at < 255; at++) list[at] = first + order[at % order.length]! * memory.byteRowBytes;
      memory.sumBytes(list, 255, sum);
      const expected = Array.from({ length: dimensions }, (_, column) => {
        let total = 0;
        for (let at = 0; at < 255; at++) total += values[order[at % order.length]!]![column]!;
        return total;
      });
      assert.deepEqual([...memory.row(sum)], expected);
    }
  });
}

Deno.test("a row that can have no length of 1 is told of", () => {
  const memory = new RowMemory(4, { floats: 3 });
  const row = memory.takeRows(3);
  assert.equal(memory.normalise(row), false);
  memory.row(row)[2] = NaN;
  assert.equal(memory.normalise(row), false);
  memory.row(row)[2] = Infinity;
  assert.equal(memory.normalise(row), false);
  memory.row(row + memory.rowBytes).fill(3e38);
  assert.equal(memory.normalise(row + memory.rowBytes), true, "squares are added up in double precision");
  memory.row(row + 2 * memory.rowBytes).fill(1e-45);
  assert.equal(memory.normalise(row + 2 * memory.rowBytes), true);
  assert.deepEqual([...memory.row(row + 2 * memory.rowBytes)], [0.5, 0.5, 0.5, 0.5]);
});

Deno.test("more rows than there are cannot be set aside", () => {
  const memory = new RowMemory(128, { floats: 1 });
  assert.throws(() => memory.takeRows(1000), TypeError);
});
