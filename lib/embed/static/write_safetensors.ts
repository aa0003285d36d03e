/** Writes the safetensors format that {@linkcode readSafetensors} reads. */
import type { Tensor } from "./safetensors.ts";

/** The header ends where numbers of any type may begin. */
const alignmentBytes = 8;

/**
 * A file of tensors, by name and in that order. The same tensors give the same bytes.
 *
 * @example
 * ```ts
 * import { readSafetensors } from "./safetensors.ts";
 * import { writeSafetensors } from "./write_safetensors.ts";
 * import assert from "node:assert/strict";
 *
 * const embeddings = { type: "I8", shape: [2, 1], bytes: Uint8Array.of(7, 255) } as const;
 * const file = writeSafetensors({ embeddings });
 * assert.deepEqual(readSafetensors(file, "model.safetensors").get("embeddings"), embeddings);
 * ```
 */
export function writeSafetensors(tensors: Readonly<Record<string, Tensor>>): Uint8Array<ArrayBuffer> {
  let end = 0;
  const header = JSON.stringify(
    Object.fromEntries(
      Object.entries(tensors).map(([name, { type, shape, bytes }]) => {
        const from = end;
        end += bytes.length;
        return [name, { dtype: type, shape, data_offsets: [from, end] }];
      }),
    ),
  );
  const encoded = new TextEncoder().encode(header);
  const headerBytes = Math.ceil(encoded.length / alignmentBytes) * alignmentBytes;
  const first = alignmentBytes + headerBytes;
  // Blanks fill the header up, as the format asks for.
  const file = new Uint8Array(first + end).fill(0x20, alignmentBytes, first);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerBytes), true);
  file.set(encoded, alignmentBytes);
  let at = first;
  for (const { bytes } of Object.values(tensors)) {
    file.set(bytes, at);
    at += bytes.length;
  }
  return file;
}
