/**
 * Bytes of CSV on their way to a spool file (layout: change/micro_batch.ts).
 *
 * The hot path of design §4: a value is copied from the server's message, its quotes doubled on the way; no string and no object
 * is made for it. Rows whose values all were sent come as whole lines (tuple_line.ts), the others value by value.
 */

import { spoolQuote } from "../../change/spool_format.ts";

const quote = spoolQuote.charCodeAt(0);
const comma = 0x2c;
const newline = 0x0a;
const zero = 0x30;
/** From this length on, a native search for quotes and native copies beat a loop. */
const longValueBytes = 512;

/** A growing buffer that writers fill without asking; room is reserved a row at a time. */
export class SpoolBuffer {
  bytes: Uint8Array<ArrayBuffer>;
  length = 0;

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity);
  }

  /** Makes room for at least so many bytes more. */
  reserve(bytes: number): void {
    if (this.length + bytes <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + bytes));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }

  /** Bytes as they are. */
  raw(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** A field's end. */
  comma(): void {
    this.bytes[this.length++] = comma;
  }

  /** A row's end; takes the place of the last field's comma. */
  endRow(): void {
    this.bytes[this.length - 1] = newline;
  }

  /** A quoted operation letter and the quoted ordinal, each with its comma. */
  operation(letter: number, ordinal: number): void {
    const { bytes } = this;
    let at = this.length;
    bytes[at++] = quote;
    bytes[at++] = letter;
    bytes[at++] = quote;
    bytes[at++] = comma;
    bytes[at++] = quote;
    let divisor = 1;
    while (ordinal / divisor >= 10) divisor *= 10;
    for (; divisor >= 1; divisor /= 10) bytes[at++] = zero + (Math.floor(ordinal / divisor) % 10);
    bytes[at++] = quote;
    bytes[at++] = comma;
    this.length = at;
  }

  /** A short ASCII text without quotes, quoted, with its comma. */
  ascii(text: string): void {
    this.bytes[this.length++] = quote;
    for (let index = 0; index < text.length; index++) this.bytes[this.length++] = text.charCodeAt(index);
    this.bytes[this.length++] = quote;
    this.bytes[this.length++] = comma;
  }

  /** A value, quoted, with its comma. Three arguments, because an object a value is what this path avoids. */
  value(source: Uint8Array, start: number, length: number): void {
    if (length >= longValueBytes) return this.#longValue(source.subarray(start, start + length));
    const { bytes } = this;
    const end = start + length;
    let at = this.length;
    bytes[at++] = quote;
    for (let index = start; index < end; index++) {
      const byte = source[index] as number;
      bytes[at++] = byte;
      if (byte === quote) bytes[at++] = quote;
    }
    bytes[at++] = quote;
    bytes[at++] = comma;
    this.length = at;
  }

  #longValue(value: Uint8Array): void {
    const { bytes } = this;
    let at = this.length;
    let from = 0;
    bytes[at++] = quote;
    for (let found = value.indexOf(quote); found >= 0; found = value.indexOf(quote, from)) {
      const piece = value.subarray(from, found + 1);
      bytes.set(piece, at);
      at += piece.length;
      bytes[at++] = quote;
      from = found + 1;
    }
    const rest = value.subarray(from);
    bytes.set(rest, at);
    at += rest.length;
    bytes[at++] = quote;
    bytes[at++] = comma;
    this.length = at;
  }
}

/** How many quotes a range of bytes holds. */
export function countQuotes(bytes: Uint8Array): number {
  let count = 0;
  for (let found = bytes.indexOf(quote); found >= 0; found = bytes.indexOf(quote, found + 1)) count++;
  return count;
}
