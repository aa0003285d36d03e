/**
 * Puffin files of deletion vectors (Iceberg Puffin spec, blob type `deletion-vector-v1`): one blob per data file.
 *
 * Promise: a blob stands by itself, with its own checksum, so that readers may seek to it without reading the footer.
 */
import type { PositionBitmap } from "../deleted_rows/position_bitmap.ts";
import { concatenate } from "../deleted_rows/roaring.ts";
import { encodeVector, type VectorPlace } from "../deleted_rows/vector_record.ts";

const fileMagic = new TextEncoder().encode("PFA1");
/** Field id of the row position metadata column (`_pos`), which deletion vectors are about. */
const rowPositionFieldId = 2147483645;

/** A Puffin file with the places of its blobs, in the order given. */
export interface PuffinFile {
  readonly bytes: Uint8Array;
  readonly places: readonly VectorPlace[];
}

/** Encodes the vectors of several data files, named by their URIs, as one file. */
export function encodePuffin(vectors: readonly (readonly [dataFile: string, positions: PositionBitmap])[]): PuffinFile {
  const blobs = vectors.map(([, positions]) => encodeVector(positions));
  const places: VectorPlace[] = [];
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
