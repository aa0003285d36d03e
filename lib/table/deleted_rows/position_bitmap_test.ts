import assert from "node:assert/strict";
import fc from "fast-check";
import { PositionBitmap } from "./position_bitmap.ts";
import { decodeRoaring, encodeRoaring } from "./roaring.ts";
import { decodeVector, encodeVector } from "./vector_record.ts";

const range = (length: number, start = 0) => Array.from({ length }, (_, index) => start + index);

Deno.test("positions come back from a bitmap, whatever its containers", () => {
  const sets = [[], [0], range(4096), range(4097), range(65536), [65535, 65536], [2 ** 32 - 1, 2 ** 32, 2 ** 40 + 7]];
  for (const positions of sets) {
    const back = decodeRoaring(encodeRoaring(PositionBitmap.empty.with(positions)));
    assert.deepEqual([...back], positions);
    assert.equal(back.count, positions.length);
  }
});

Deno.test("a bitmap is a set: adding in any order, twice, shares and changes nothing", () => {
  const positions = fc.array(fc.integer({ min: 0, max: 200_000 }), { maxLength: 300 });
  fc.assert(
    fc.property(positions, positions, (first, second) => {
      const base = PositionBitmap.empty.with(first);
      const grown = base.with(second);
      assert.deepEqual([...grown], [...new Set([...first, ...second])].sort((a, b) => a - b));
      assert.deepEqual([...base], [...new Set(first)].sort((a, b) => a - b));
      assert.ok(second.every((position) => grown.has(position)));
      const expected = [...new Set(second)].filter((position) => !first.includes(position)).sort((a, b) => a - b);
      assert.deepEqual(grown.growthSince(base)!.sort((a, b) => a - b), expected);
      if (expected.length > 0) assert.equal(base.growthSince(grown), undefined);
    }),
    { seed: 4, numRuns: 100 },
  );
});

Deno.test("small containers are sorted arrays, large ones bitsets, as the format demands", () => {
  assert.equal(encodeRoaring(PositionBitmap.empty.with(range(4096))).length, 8 + 4 + 8 + 8 + 2 * 4096);
  assert.equal(encodeRoaring(PositionBitmap.empty.with(range(4097))).length, 8 + 4 + 8 + 8 + 8192);
});

Deno.test("run containers of other writers are read", () => {
  // Cookie 12347 with 2 containers, the first a run container: key 0 holds 10–12 and 65535, key 2 the array [7].
  const u16 = (...values: number[]) => [...new Uint8Array(Uint16Array.from(values).buffer)];
  const bytes = Uint8Array.from([
    ...[1, 0, 0, 0, 0, 0, 0, 0],
    ...[0, 0, 0, 0],
    ...u16(12347, 1),
    0b01,
    ...u16(0, 3, 2, 0),
    ...u16(2, 10, 2, 65535, 0),
    ...u16(7),
  ]);
  assert.deepEqual([...decodeRoaring(bytes)], [10, 11, 12, 65535, 131079]);
});

Deno.test("a damaged vector is refused", () => {
  const whole = encodeVector(PositionBitmap.empty.with([1, 5]));
  assert.deepEqual([...decodeVector(whole, { offset: 0, length: whole.length })], [1, 5]);
  for (const index of [0, 4, 20, whole.length - 1]) {
    const damaged = Uint8Array.from(whole);
    damaged[index]! ^= 0x40;
    assert.throws(() => decodeVector(damaged, { offset: 0, length: whole.length }), RangeError);
  }
});
