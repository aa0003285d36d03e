import assert from "node:assert/strict";
import fc from "fast-check";
import { WeirError } from "../../errors.ts";
import { tensorOf } from "../../testing/static_model_files.ts";
import { readSafetensors, tensorReader, type TensorType } from "./safetensors.ts";
import { writeSafetensors } from "./write_safetensors.ts";

const isRefusal = (thrown: unknown) => thrown instanceof WeirError && thrown.kind === "configuration";

/** A file with a header of one's own. */
function fileOf(header: unknown, dataBytes: number): Uint8Array {
  const encoded = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const file = new Uint8Array(8 + encoded.length + dataBytes);
  new DataView(file.buffer).setBigUint64(0, BigInt(encoded.length), true);
  file.set(encoded, 8);
  return file;
}

Deno.test("numbers of every type are read as they were written", () => {
  const values = [0, 1, -1, 127, -128, 2];
  const types: readonly TensorType[] = ["F64", "F32", "F16", "BF16", "I64", "I32", "I8"];
  const file = writeSafetensors(Object.fromEntries(types.map((type) => [type, tensorOf(type, [2, 3], values)])));
  const tensors = readSafetensors(file, "model.safetensors");
  assert.deepEqual([...tensors.keys()], types);
  for (const [type, tensor] of tensors) {
    const read = tensorReader(tensor);
    assert.deepEqual(values.map((_, index) => read(index)), values, type);
  }
});

Deno.test("fractions come back as near as their type holds them, also where the file stands at an odd place of a buffer", () => {
  const file = writeSafetensors({ f16: tensorOf("F16", [1], [0.1]), bf16: tensorOf("BF16", [1], [0.15625]) });
  const moved = new Uint8Array(file.length + 1);
  moved.set(file, 1);
  const tensors = readSafetensors(moved.subarray(1), "model.safetensors");
  assert.equal(tensorReader(tensors.get("f16")!)(0), 0.0999755859375);
  assert.equal(tensorReader(tensors.get("bf16")!)(0), 0.15625);
});

Deno.test("a file cut anywhere is refused, never read past its end", () => {
  const file = writeSafetensors({ embeddings: tensorOf("F32", [3, 2], [1, 2, 3, 4, 5, 6]) });
  for (let length = 0; length < file.length; length++) {
    assert.throws(() => readSafetensors(file.subarray(0, length), "model.safetensors"), isRefusal, `${length} bytes`);
  }
});

Deno.test("a header that does not fit its data is refused", () => {
  const entry = { dtype: "F32", shape: [2], data_offsets: [0, 8] };
  assert.equal(readSafetensors(fileOf({ __metadata__: { format: "pt" }, a: entry }, 8), "f").size, 1);
  for (
    const header of [
      "",
      "[]",
      "{",
      { a: { ...entry, shape: [3] } },
      { a: { ...entry, data_offsets: [4, 12] } },
      { a: { ...entry, data_offsets: [8, 0] } },
      { a: { ...entry, data_offsets: [-8, 0] } },
      { a: { ...entry, shape: [-2] } },
      { a: { ...entry, dtype: 1 } },
      { a: null },
    ]
  ) assert.throws(() => readSafetensors(fileOf(header, 8), "f"), isRefusal, JSON.stringify(header));
  const endless = new Uint8Array(16).fill(0xff);
  assert.throws(() => readSafetensors(endless, "f"), isRefusal);
});

Deno.test("tensors of a type nobody asks for are passed over", () => {
  const entry = { dtype: "F8_E4M3", shape: [8], data_offsets: [0, 8] };
  assert.equal(readSafetensors(fileOf({ a: entry }, 8), "f").size, 0);
});

Deno.test("no bytes whatever make the reader fail in another way than it says", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(40), (bytes, headerBytes) => {
      const file = new Uint8Array(bytes);
      if (file.length >= 8) new DataView(file.buffer).setBigUint64(0, BigInt(headerBytes), true);
      try {
        readSafetensors(file, "f");
      } catch (thrown) {
        assert.ok(isRefusal(thrown));
      }
    }),
  );
});
