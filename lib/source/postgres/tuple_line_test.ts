import assert from "node:assert/strict";
import fc from "fast-check";
import { spoolQuote } from "../../change/spool_format.ts";
import { assertAssembled } from "../../testing/assembled.ts";
import { SpoolBuffer } from "./spool_buffer.ts";
import { tupleLine } from "./tuple_line.ts";

type Value = Uint8Array | null;

const quote = spoolQuote.charCodeAt(0);

/** A message with a tuple at its end, and the tuple's offset; `behind` bytes follow it. */
function message(values: readonly Value[], { before = 3, behind = 0 } = {}): Uint8Array {
  const frames = values.map((value) => {
    if (value === null) return Uint8Array.of(0x6e);
    const frame = new Uint8Array(5 + value.length);
    frame[0] = 0x74;
    new DataView(frame.buffer).setInt32(1, value.length);
    frame.set(value, 5);
    return frame;
  });
  const head = [...new Uint8Array(before), values.length >> 8, values.length & 255];
  return Uint8Array.from([...head, ...frames.flatMap((frame) => [...frame]), ...new Uint8Array(behind)]);
}

/** The line as it is written value by value. */
function byValue(values: readonly Value[]): Uint8Array {
  const buffer = new SpoolBuffer(values.reduce((sum, value) => sum + 2 * (value?.length ?? 0) + 3, 0));
  for (const value of values) {
    if (value === null) buffer.comma();
    else buffer.value(value, 0, value.length);
  }
  buffer.endRow();
  return buffer.bytes.subarray(0, buffer.length);
}

Deno.test("the WebAssembly that runs is what the text beside it assembles to", () =>
  assertAssembled(new URL("./tuple_values.wat", import.meta.url)));

Deno.test("a line is what its values make one by one, wherever quotes stand in them", () => {
  const byte = fc.oneof(fc.constant(quote), fc.integer({ min: 0, max: 255 }));
  const value = fc.option(
    fc.uint8Array({ maxLength: 70 }).chain((bytes) =>
      fc.array(byte, { maxLength: 34 }).map((others) => Uint8Array.from([...others, ...bytes, ...others]))
    ),
  );
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 9 }), fc.nat(40), (values, before) => {
      assert.deepEqual(tupleLine(message(values, { before, behind: 2 }), before, values.length), byValue(values));
    }),
    { numRuns: 2000, seed: 3 },
  );
});

Deno.test("every length around a stretch of sixteen is copied whole, with a quote at any place of it", () => {
  for (let length = 0; length <= 50; length++) {
    for (let place = -1; place < length; place++) {
      const value = Uint8Array.from({ length }, (_, index) => index === place ? quote : 0x61 + index % 26);
      assert.deepEqual(tupleLine(message([value, null, value]), 3, 3), byValue([value, null, value]));
    }
  }
});

Deno.test("a message of nothing but quotes fills the room there is; a larger one is left to others", () => {
  const values = [new Uint8Array(64 * 1024 - 3 - 2 - 5).fill(quote)];
  const largest = message(values);
  assert.deepEqual(tupleLine(largest, 3, 1), byValue(values));
  assert.equal(tupleLine(message(values, { behind: 1 }), 3, 1), undefined);
  const empty = Array.from({ length: 1600 }, () => new Uint8Array());
  assert.deepEqual(tupleLine(message(empty), 3, 1600), byValue(empty));
});

Deno.test("what is no whole tuple is left to others: other columns or none, values not sent, values cut off", () => {
  const whole = message([Uint8Array.of(0x61), Uint8Array.of(0x62)]);
  assert.equal(tupleLine(whole, 3, 3), undefined);
  assert.equal(tupleLine(message([]), 3, 0), undefined, "there is no comma in whose place the line could end");
  for (let length = 3; length < whole.length; length++) {
    assert.notEqual(tupleLine(whole, 3, 2), undefined, "the rest of it is still there when the shorter one comes");
    assert.equal(tupleLine(whole.subarray(0, length), 3, 2), undefined);
  }
  const unchanged = Uint8Array.from(whole);
  unchanged[5] = 0x75;
  assert.equal(tupleLine(unchanged, 3, 2), undefined);
});
