import assert from "node:assert/strict";
import { MemoryStorage } from "../../testing/memory_storage.ts";
import { PositionBitmap } from "../deleted_rows/position_bitmap.ts";
import { readVectors, vectorPath, writeVectors } from "./deletion_vectors.ts";
import { decodeZ85, encodeZ85 } from "./z85.ts";

Deno.test("vectors come back, several from one file", async () => {
  const place = { storage: new MemoryStorage(), folder: "delta/t" };
  const sets = [[0], [3, 70_000], Array.from({ length: 5000 }, (_, index) => 2 * index)];
  const { path, descriptors } = await writeVectors(place, sets.map((set) => PositionBitmap.empty.with(set)));
  assert.match(path, /^delta\/t\/deletion_vector_[0-9a-f-]{36}\.bin$/);
  assert.deepEqual(descriptors.map((descriptor) => vectorPath(place, descriptor)), [path, path, path]);
  assert.deepEqual(descriptors.map(({ cardinality }) => cardinality), [1, 2, 5000]);
  const read = await readVectors(place, descriptors);
  assert.deepEqual(read.map((positions) => [...positions]), sets);
});

Deno.test("a record has the layout of the protocol: version, length, magic, bitmap, checksum", async () => {
  const place = { storage: new MemoryStorage(), folder: "t" };
  const { path, descriptors: [descriptor] } = await writeVectors(place, [PositionBitmap.empty.with([1])]);
  const bytes = (await place.storage.read(path))!;
  const view = new DataView(bytes.buffer);
  assert.equal(bytes[0], 1);
  assert.equal(descriptor!.offset, 1);
  assert.equal(view.getInt32(1, false), descriptor!.sizeInBytes);
  assert.equal(view.getInt32(5, true), 1681511377);
  assert.equal(bytes.length, 1 + 4 + descriptor!.sizeInBytes + 4);
});

Deno.test("a vector that another writer put into the log itself is read", async () => {
  // The bitmap of rows 3, 4, 7, 11, 18 and 29 in the portable form, 44 bytes.
  const pathOrInlineDv = "^Bg9^0rr910000000000iXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L";
  const vector = { storageType: "i" as const, pathOrInlineDv, sizeInBytes: 44, cardinality: 6 };
  const [positions] = await readVectors({ storage: new MemoryStorage(), folder: "t" }, [vector]);
  assert.deepEqual([...positions!], [3, 4, 7, 11, 18, 29]);
});

Deno.test("a vector's file is named by its UUID, below a prefix where it has one", () => {
  const place = { storage: new MemoryStorage(), folder: "t" };
  const vector = {
    storageType: "u" as const,
    pathOrInlineDv: "ab^-aqEH.-t@S}K{vb[*k^",
    sizeInBytes: 1,
    cardinality: 1,
  };
  assert.equal(vectorPath(place, vector), "t/ab/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin");
});

Deno.test("a vector that is damaged or gone is named", async () => {
  const place = { storage: new MemoryStorage(), folder: "t" };
  const { path, descriptors } = await writeVectors(place, [PositionBitmap.empty.with([1, 5])]);
  const bytes = (await place.storage.read(path))!;
  bytes[20]! ^= 1;
  await place.storage.put(path, bytes);
  await assert.rejects(() => readVectors(place, descriptors), { kind: "tableUnreadable", detail: { path } });
  await place.storage.delete(path);
  await assert.rejects(() => readVectors(place, descriptors), { kind: "tableUnreadable", detail: { path } });
});

Deno.test("what is no Z85 is refused", () => {
  assert.throws(() => encodeZ85(new Uint8Array(3)), RangeError);
  for (const text of ["abc", 'ab"cd', "#####"]) assert.throws(() => decodeZ85(text), RangeError);
});
