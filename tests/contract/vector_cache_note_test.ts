/** The embedding job says beforehand where the vectors it makes will not be kept until a switch of models asks for them. */
import assert from "node:assert/strict";
import { cacheNotes } from "../../jobs/wiring/reembedding_outcome.ts";
import type { Embedder } from "../../lib/embed/embedder.ts";

const model = { id: "minilm", revision: "1", dimensions: 384, semantic: true };
const estimate = (rows: number) => ({
  table: "shop.notes",
  format: "iceberg",
  rows,
  rowsPerSecond: 100,
  bytes: rows * 1536,
});

Deno.test("more vectors than the cache holds are told about, with the size that would do; fewer, or none kept, are not", () => {
  const embedder = { model, anew: {} as Embedder };
  const notes = (rows: number, mostBytes: number) =>
    cacheNotes([estimate(rows), estimate(rows)], { embedder, mostBytes });
  assert.deepEqual(notes(200_000, 2 ** 30), []);
  const [note] = notes(500_000, 2 ** 30);
  assert.match(note!, /^--vector-cache holds about 510,\d{3} of these vectors.* unless both have 2\.0 GiB or more$/);
  assert.deepEqual(cacheNotes([estimate(10_000_000)], { embedder: { model }, mostBytes: 2 ** 20 }), []);
});
