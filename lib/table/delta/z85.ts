/** Z85, the text form of bytes in deletion vector descriptors (ZeroMQ RFC 32). */

const alphabet = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

/**
 * Bytes as text; their number must be a multiple of four.
 *
 * @example
 * ```ts
 * import { decodeZ85, encodeZ85 } from "./z85.ts";
 * import assert from "node:assert/strict";
 *
 * const bytes = Uint8Array.of(0x86, 0x4F, 0xD2, 0x6F, 0xB5, 0x59, 0xF7, 0x5B);
 * assert.equal(encodeZ85(bytes), "HelloWorld");
 * assert.deepEqual(decodeZ85("HelloWorld"), bytes);
 * ```
 */
export function encodeZ85(bytes: Uint8Array): string {
  if (bytes.length % 4 !== 0) throw new RangeError(`Cannot encode ${bytes.length} bytes: not a multiple of four`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let text = "";
  for (let at = 0; at < bytes.length; at += 4) {
    let value = view.getUint32(at);
    let group = "";
    for (let digit = 0; digit < 5; digit++, value = Math.floor(value / 85)) group = alphabet[value % 85] + group;
    text += group;
  }
  return text;
}

/** Bytes of a text. Throws `RangeError` for one that is no Z85. */
export function decodeZ85(text: string): Uint8Array {
  if (text.length % 5 !== 0) throw new RangeError("Cannot decode a text whose length is not a multiple of five");
  const bytes = new Uint8Array(text.length / 5 * 4);
  const view = new DataView(bytes.buffer);
  for (let group = 0; group < text.length / 5; group++) {
    let value = 0;
    for (const character of text.slice(group * 5, group * 5 + 5)) {
      const digit = alphabet.indexOf(character);
      if (digit < 0) throw new RangeError("Cannot decode a text with a character that is no Z85");
      value = value * 85 + digit;
    }
    if (value >= 2 ** 32) throw new RangeError("Cannot decode a group that is over 32 bits");
    view.setUint32(group * 4, value);
  }
  return bytes;
}
