/**
 * One deletion vector as Iceberg's Puffin blobs and Delta's files hold it, byte for byte the same (Iceberg Puffin spec,
 * `deletion-vector-v1`; Delta protocol, "Deletion Vector Format").
 */
import { crc32 } from "node:zlib";
import type { PositionBitmap } from "./position_bitmap.ts";
import { concatenate, decodeRoaring, encodeRoaring } from "./roaring.ts";

const vectorMagic = Uint8Array.of(0xD1, 0xD3, 0x39, 0x64);

/** Where a vector stands in a file. */
export interface VectorPlace {
  readonly offset: number;
  readonly length: number;
}

/** Length (of what follows but the checksum), magic, bitmap, CRC-32 of magic and bitmap. */
export function encodeVector(positions: PositionBitmap): Uint8Array {
  return wrapVector(concatenate([vectorMagic, encodeRoaring(positions)]));
}

/** A record of magic and bitmap: with their length before and their checksum behind. */
export function wrapVector(body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(body.length + 8);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, body.length, false);
  bytes.set(body, 4);
  view.setUint32(4 + body.length, crc32(body), false);
  return bytes;
}

/**
 * Decodes one vector out of a whole file.
 *
 * @throws {RangeError} If the vector is damaged.
 */
export function decodeVector(file: Uint8Array, place: VectorPlace): PositionBitmap {
  const blob = file.subarray(place.offset, place.offset + place.length);
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  const length = blob.length < 12 ? -1 : view.getInt32(0, false);
  if (length !== blob.length - 8) throw new RangeError("Cannot read a deletion vector: its length is wrong");
  const body = blob.subarray(4, 4 + length);
  if (view.getUint32(4 + length, false) !== crc32(body)) {
    throw new RangeError("Cannot read a deletion vector: its checksum is wrong");
  }
  if (vectorMagic.some((byte, index) => body[index] !== byte)) {
    throw new RangeError("Cannot read a deletion vector: its magic bytes are wrong");
  }
  return decodeRoaring(body.subarray(vectorMagic.length));
}
