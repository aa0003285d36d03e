/**
 * Tuples into spool lines in WebAssembly (`tuple_values.wat`): a third of what the loop of {@linkcode
 * import("./spool_buffer.ts").SpoolBuffer} takes for a payment (38 values, 1 KB: 0.65 µs against 2.2). For tuples that are whole and of common
 * size; everything else goes value by value.
 */
import { memory, spoolTuple } from "./tuple_values.wasm";

/** Of a message; a line is at most twice as long: a value has three bytes of frame in it, and five in the message. */
const largestMessageBytes = 64 * 1024;
const lineAt = largestMessageBytes + 64;
const bytes = new Uint8Array(memory.buffer);

/**
 * The values of a tuple as the end of a spool line, in bytes that the next call overwrites.
 *
 * @param message The message it stands in.
 * @param offset Where in it.
 * @param columnCount Values it is to have.
 * @returns Undefined where it has another number of values, none, one that was not sent, or is too large.
 */
export function tupleLine(message: Uint8Array, offset: number, columnCount: number): Uint8Array | undefined {
  if (message.length > largestMessageBytes) return undefined;
  bytes.set(message);
  const end = spoolTuple(offset, message.length, columnCount, lineAt);
  return end > lineAt ? bytes.subarray(lineAt, end) : undefined;
}
