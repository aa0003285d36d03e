/** Avro container files as other makers' writers leave them. */
import { Buffer } from "node:buffer";
import { inflateRawSync } from "node:zlib";

const syncBytes = 16;

/** A file of ours, of at most one block, in another codec. */
export function recodedAvro(
  bytes: Uint8Array,
  to: { readonly codec: string; readonly compress: (body: Uint8Array) => Uint8Array },
): Uint8Array {
  const file = Buffer.from(bytes);
  const sync = file.subarray(-syncBytes);
  const headerEnd = file.indexOf(sync) + syncBytes;
  const header = file.subarray(0, headerEnd).toString("latin1")
    .replace(text("deflate").toString("latin1"), text(to.codec).toString("latin1"));
  const count = numberAt(file, headerEnd);
  const length = numberAt(file, count.end);
  const body = to.compress(inflateRawSync(file.subarray(length.end, length.end + length.value)));
  return Buffer.concat([Buffer.from(header, "latin1"), number(count.value), number(body.length), body, sync]);
}

function text(value: string): Buffer {
  return Buffer.concat([number(value.length), Buffer.from(value)]);
}

/** Zigzag, seven bits a byte. */
function number(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = 2 * value;; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push(rest % 128 + 128);
  }
}

function numberAt(file: Buffer, start: number): { readonly value: number; readonly end: number } {
  let value = 0;
  for (let end = start, unit = 1;; unit *= 128) {
    const byte = file[end++]!;
    value += byte % 128 * unit;
    if (byte < 128) return { value: value / 2, end };
  }
}
