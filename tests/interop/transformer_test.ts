/**
 * all-MiniLM-L6-v2 by ourselves against sentence-transformers with the same weights. What it gave for texts of every kind stands in
 * minilm_reference.json: running it would take PyTorch.
 */
import assert from "node:assert/strict";
import { createEmbedder } from "../../lib/embed/create_embedder.ts";
import { type Embedder, textBatch } from "../../lib/embed/embedder.ts";
import { minilm } from "./minilm.ts";

interface Reference {
  readonly made: string;
  readonly texts: readonly { readonly text: string; readonly vector: string }[];
}

const dimensions = 384;
const reference: Reference = JSON.parse(
  await Deno.readTextFile(new URL("./minilm_reference.json", import.meta.url)),
);
const texts = reference.texts.map(({ text }) => text);
const expected = reference.texts.map(({ vector }) =>
  Float32Array.from(new Float16Array(Uint8Array.fromBase64(vector).buffer))
);
const found = await minilm();
const ignore = "missing" in found;
const why = "missing" in found ? ` (skipped: ${found.missing})` : "";
const folder = "path" in found ? found.path : "";

function minilmTest(name: string, dtype: string, body: (embedder: Embedder) => Promise<void>): void {
  Deno.test({
    name: `${name}${why}`,
    ignore,
    fn: async () => {
      const embedder = await createEmbedder(folder, { dtype });
      try {
        await body(embedder);
      } finally {
        await embedder.close();
      }
    },
  });
}

async function vectorsOf(embedder: Embedder, batch: readonly string[]): Promise<readonly Float32Array[]> {
  const { vectors, failures } = await embedder.embed(textBatch(batch));
  assert.deepEqual(failures, []);
  return batch.map((_, text) => vectors.subarray(text * dimensions, (text + 1) * dimensions));
}

function cosine(left: Float32Array, right: Float32Array): number {
  const dot = (one: Float32Array, other: Float32Array) => one.reduce((sum, value, at) => sum + value * other[at]!, 0);
  return dot(left, right) / Math.sqrt(dot(left, left) * dot(right, right));
}

/** The worst cosine with the reference, and its text. */
function worst(vectors: readonly Float32Array[]): readonly [number, string] {
  const cosines = vectors.map((vector, text) => cosine(vector, expected[text]!));
  const least = Math.min(...cosines);
  return [least, texts[cosines.indexOf(least)]!];
}

minilmTest("fp32 gives the vectors of sentence-transformers for texts of every kind", "fp32", async (embedder) => {
  assert.match(embedder.model.id, /^all-MiniLM-L6-v2/);
  assert.match(embedder.model.revision, /^[0-9a-f]{12}-fp32$/);
  assert.deepEqual([embedder.model.dimensions, embedder.model.semantic], [dimensions, true]);
  const vectors = await vectorsOf(embedder, texts);
  const [least, text] = worst(vectors);
  assert.ok(least >= 0.9999, `cosine ${least} for ${JSON.stringify(text.slice(0, 60))}`);
  for (const vector of vectors) assert.ok(Math.abs(Math.hypot(...vector) - 1) < 1e-6);
  // Some hold more than the 256 tokens it reads.
  assert.equal(embedder.truncated, 7);
});

for (const dtype of ["fp32", "q8"]) {
  minilmTest(`${dtype} gives a text the same vector whatever stands beside it`, dtype, async (embedder) => {
    const together = await vectorsOf(embedder, texts);
    for (const [index, text] of texts.entries()) {
      const [alone] = await vectorsOf(embedder, [text]);
      const furthest = alone!.reduce((most, value, at) => Math.max(most, Math.abs(value - together[index]![at]!)), 0);
      assert.ok(furthest < 1e-5, `${furthest} for ${JSON.stringify(text.slice(0, 60))}`);
    }
  });
}

minilmTest("q8 stays close to sentence-transformers", "q8", async (embedder) => {
  assert.match(embedder.model.revision, /^[0-9a-f]{12}-q8$/);
  const vectors = await vectorsOf(embedder, texts);
  const [least, text] = worst(vectors);
  const mean = vectors.reduce((sum, vector, index) => sum + cosine(vector, expected[index]!), 0) / texts.length;
  console.log(`q8: cosine with fp32 ${mean.toFixed(4)} on average, ${least.toFixed(4)} at least`);
  assert.ok(least >= 0.95 && mean >= 0.98, `cosine ${least} for ${JSON.stringify(text.slice(0, 60))}`);
});

minilmTest("an empty text is a failure that leaves its neighbours alone", "q8", async (embedder) => {
  const { vectors, failures } = await embedder.embed(textBatch(["", "Hello, world!", ""]));
  assert.deepEqual(failures.map(({ text }) => text).toSorted(), [0, 2]);
  assert.ok(cosine(vectors.subarray(dimensions, 2 * dimensions), expected[texts.indexOf("Hello, world!")]!) > 0.97);
});

Deno.test({
  name: `weights, pooling and devices that are not there are refused with what there is${why}`,
  ignore,
  fn: async () => {
    await assert.rejects(createEmbedder(folder, { dtype: "fp16" }), {
      kind: "configuration",
      message: /has no model_fp16\.onnx \(fp16\)/,
      advice: "Choose with --model-dtype from fp32, q8",
    });
    await assert.rejects(createEmbedder(folder, { device: "cuda" }), {
      kind: "configuration",
      message: /on cuda/,
      advice: /--model-device cpu/,
    });
  },
});
