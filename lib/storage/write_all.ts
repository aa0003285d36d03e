/** Bytes into a file, whole. */

/** What bytes can be written to: an open file, a connection. */
export interface ByteTarget {
  write(bytes: Uint8Array): Promise<number>;
}

/**
 * Writes all of the bytes where the target stands.
 *
 * Promise: when it resolves the system has taken every byte, in order, though not yet put it on a disk. One `write` of the
 * system may take fewer bytes than it is given: a disk that fills up, a socket whose buffer is full.
 *
 * Throws what the target throws; then some of the bytes may have been written.
 *
 * @example
 * ```ts
 * import { writeAll } from "./write_all.ts";
 * import assert from "node:assert/strict";
 *
 * const written: number[] = [];
 * await writeAll({ write: ([first = 0]) => Promise.resolve(written.push(first) && 1) }, Uint8Array.of(1, 2, 3));
 * assert.deepEqual(written, [1, 2, 3]);
 * ```
 */
export async function writeAll(target: ByteTarget, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) written += await target.write(bytes.subarray(written));
}
