/**
 * Puffin files of deletion vectors (Iceberg Puffin spec, blob type `deletion-vector-v1`): one blob per data file.
 *
 * Promise: a blob stands by itself, with its own checksum, so that readers may seek to it without reading the footer.
 */
import { crc32 } from "node:zlib";
import type { PositionBitmap } from "./position_bitmap.ts";
import { concatenate, decodeRoaring, encodeRoaring } from "./roaring.ts";

const fileMagic = new TextEncoder().encode("PFA1");
const vectorMagic = Uint8Array.of(0xD1, 0xD3, 0x39, 0x64);
/** Field id of the row position metadata column (`_pos`), which deletion vectors are about. */
const rowPositionFieldId = 2147483645;

/** Where a data file's vector stands in a Puffin file. */
export interface BlobPlace {
  readonly offset: number;
  readonly length: number;
}

/** A Puffin file with the places of its blobs, in the order given. */
export interface PuffinFile {
  readonly bytes: Uint8Array;
  readonly places: readonly BlobPlace[];
}

/** Encodes the vectors of several data files, named by their URIs, as one file. */
export function encodePuffin(vectors: readonly (readonly [dataFile: string, positions: PositionBitmap])[]): PuffinFile {
  const blobs = vectors.map(([, positions]) => encodeVector(positions));
  const places: BlobPlace[] = [];
  let offset = fileMagic.length;
  for (const blob of blobs) {
    places.push({ offset, length: blob.length });
    offset += blob.length;
  }
  const footer = new TextEncoder().encode(JSON.stringify({
    blobs: vectors.map(([dataFile, positions], index) => ({
      type: "deletion-vector-v1",
      fields: [rowPositionFieldId],
      "snapshot-id": -1,
      "sequence-number": -1,
      ...places[index],
      properties: { "referenced-data-file": dataFile, cardinality: String(positions.count) },
    })),
    properties: { "created-by": "weir" },
  }));
  const trailer = new DataView(new ArrayBuffer(8));
  trailer.setInt32(0, footer.length, true);
  const bytes = concatenate([fileMagic, ...blobs, fileMagic, footer, new Uint8Array(trailer.buffer), fileMagic]);
  return { bytes, places };
}

/** Length (of what follows but the checksum), magic, bitmap, CRC-32 of magic and bitmap. */
function encodeVector(positions: PositionBitmap): Uint8Array {
  const body = concatenate([vectorMagic, encodeRoaring(positions)]);
  const bytes = new Uint8Array(body.length + 8);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, body.length, false);
  bytes.set(body, 4);
  view.setUint32(4 + body.length, crc32(body), false);
  return bytes;
}

/**
 * Decodes one vector out of a whole Puffin file.
 *
 * @throws {RangeError} If the blob is damaged.
 */
export function decodeVector(file: Uint8Array, place: BlobPlace): PositionBitmap {
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
