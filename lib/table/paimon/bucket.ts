/**
 * Which bucket a key belongs to (Paimon `MurmurHashUtils`, `DefaultBucketFunction`). A wrong bucket is not noticed by a
 * full read but breaks pruning and the uniqueness of keys.
 */

const seed = 42;

/**
 * Murmur3 x86 32 over the bytes of a BinaryRow, whose length is a multiple of 8.
 *
 * @returns Signed 32-bit hash.
 */
export function hashRow(row: Uint8Array): number {
  const view = new DataView(row.buffer, row.byteOffset, row.byteLength);
  let hash = seed;
  for (let offset = 0; offset < row.length; offset += 4) {
    let word = Math.imul(view.getInt32(offset, true), 0xcc9e2d51);
    word = Math.imul((word << 15) | (word >>> 17), 0x1b873593);
    hash ^= word;
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  hash ^= row.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/**
 * The bucket of a hash: the absolute value of the truncating remainder.
 *
 * @example
 * ```ts
 * import { bucketOf, hashRow } from "./bucket.ts";
 * import { encodeRow } from "./binary_row.ts";
 * import { types } from "../../dataset/column_type.ts";
 * import assert from "node:assert/strict";
 *
 * assert.equal(bucketOf(hashRow(encodeRow([types.int64], [7n])), 10), 1);
 * ```
 */
export function bucketOf(hash: number, buckets: number): number {
  return Math.abs(hash % buckets);
}
