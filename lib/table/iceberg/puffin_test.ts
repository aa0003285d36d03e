import assert from "node:assert/strict";
import { PositionBitmap } from "../deleted_rows/position_bitmap.ts";
import { decodeVector } from "../deleted_rows/vector_record.ts";
import { encodePuffin } from "./puffin.ts";

Deno.test("a Puffin file has the layout of the spec", () => {
  const { bytes, places } = encodePuffin([["file:///a", PositionBitmap.empty.with([1, 5])], [
    "file:///b",
    PositionBitmap.empty.with([7]),
  ]]);
  const text = (from: number, to?: number) => new TextDecoder().decode(bytes.subarray(from, to));
  assert.equal(text(0, 4), "PFA1");
  assert.equal(text(bytes.length - 4), "PFA1");
  const length = new DataView(bytes.buffer).getInt32(bytes.length - 12, true);
  const footer = JSON.parse(text(bytes.length - 12 - length, bytes.length - 12));
  assert.equal(text(bytes.length - 16 - length, bytes.length - 12 - length), "PFA1");
  assert.deepEqual(
    footer.blobs.map((blob: { offset: number; length: number }) => ({
      offset: blob.offset,
      length: blob.length,
    })),
    places,
  );
  assert.deepEqual(footer.blobs[1].properties, { "referenced-data-file": "file:///b", cardinality: "1" });
  assert.deepEqual([...decodeVector(bytes, places[0]!)], [1, 5]);
  assert.deepEqual([...decodeVector(bytes, places[1]!)], [7]);
});
