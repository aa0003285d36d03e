import assert from "node:assert/strict";
import fc from "fast-check";
import { textBatch } from "./embedder.ts";
import { createHashModel, describeHashModel, hashModelDimensions } from "./hash_model.ts";

/** Vectors of texts, and the failures. */
function embed(texts: readonly string[], dimensions?: number) {
  const { model, embedInto } = createHashModel(dimensions);
  const vectors = new Float32Array(texts.length * model.dimensions);
  const failures = embedInto(textBatch(texts), vectors);
  return {
    failures,
    vectors: texts.map((_, index) => vectors.slice(index * model.dimensions).slice(0, model.dimensions)),
  };
}

function cosine(left: Float32Array, right: Float32Array): number {
  return left.reduce((sum, value, index) => sum + value * right[index]!, 0);
}

function sameBits(left: Float32Array, right: Float32Array): boolean {
  return left.length === right.length && left.every((value, index) => Object.is(value, right[index]));
}

async function digest(vector: Float32Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", vector)).toHex().slice(0, 16);
}

const checkTexts = [
  "First name: Ann",
  "Zoë wohnt in Kapstadt, 12 Straße",
  "🙂 emoji 👩‍👩‍👧",
  "\ufeffBOM",
  ".",
  "x".repeat(100_000),
];

/** First 8 bytes of the SHA-256 of each vector's little-endian floats. Other digits are another revision of the model. */
const checkDigests: Readonly<Record<number, readonly string[]>> = {
  128: [
    "a4ce97429798a877",
    "e7cb6c1f630c121f",
    "4911e257433822c1",
    "760e4fc9bb0e883c",
    "e8fac76d8c9e000e",
    "cc106b0fd0202903",
  ],
  256: [
    "f506c0fe4e2a9e60",
    "241314a25368d924",
    "07d587e2ce588d9e",
    "3e9edb32ccb0c661",
    "97d6df6718e298cf",
    "dcf886a14e0335cf",
  ],
  384: [
    "fb8bce5555774a4c",
    "1393e3ad608f75c6",
    "a0c1a93c65cf8274",
    "6caccf6b73598f82",
    "0476ee7349ca898b",
    "64f135024dd8fc16",
  ],
};

for (const dimensions of hashModelDimensions) {
  Deno.test(`a text's vector of ${dimensions} dimensions is the same to the bit, on every machine and in every run`, async () => {
    const { vectors, failures } = embed(checkTexts, dimensions);
    assert.deepEqual(failures, []);
    assert.deepEqual(await Promise.all(vectors.map(digest)), checkDigests[dimensions]);
  });
}

Deno.test("the one feature of a text without words stands in one coordinate, with its whole length", () => {
  const [vector] = embed(["."]).vectors;
  assert.deepEqual([...vector!.entries()].filter(([, value]) => value !== 0), [[2, -1]]);
});

Deno.test("every vector has length 1, whatever the text and whatever stands beside it in the batch", () => {
  const units = ["a", "B", "7", " ", ".", "\0", "é", "東", "🙂", "\ufeff", "\u0301", "word"];
  const text = fc.array(fc.constantFrom(...units), { minLength: 1, maxLength: 30 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(
      fc.array(text, { minLength: 1, maxLength: 20 }),
      fc.constantFrom(...hashModelDimensions),
      (texts, size) => {
        const { vectors, failures } = embed(texts, size);
        assert.deepEqual(failures, []);
        for (const [index, vector] of vectors.entries()) {
          assert.ok(Math.abs(Math.hypot(...vector) - 1) < 1e-6);
          assert.ok(sameBits(vector, embed([texts[index]!], size).vectors[0]!));
        }
      },
    ),
    { seed: 1, numRuns: 200 },
  );
});

Deno.test("letters count without case, and words and not the signs between them make a text", () => {
  const [first, second, other] =
    embed(["Ann lives in Cape Town", "ANN, lives (in) cape-town!", "Bob drove off to Rome"]).vectors;
  assert.ok(cosine(first!, second!) > 0.95);
  assert.ok(cosine(first!, other!) < 0.5);
});

Deno.test("texts that share words are nearer than texts that share none", () => {
  const words = [
    "savings",
    "cheque",
    "pretoria",
    "elephant",
    "quartz",
    "blue",
    "window",
    "thirty",
    "yacht",
    "mkhize",
    "jukebox",
    "fog",
    "lamp",
    "dough",
    "viper",
    "cricket",
    "nutmeg",
    "hollow",
    "zebra",
    "orbit",
    "plumb",
    "gravel",
    "whisky",
    "ether",
  ];
  fc.assert(
    fc.property(
      fc.shuffledSubarray(words, { minLength: 24 }),
      fc.constantFrom(...hashModelDimensions),
      (shuffled, size) => {
        const text = (from: number, to: number) => shuffled.slice(from, to).join(" ");
        const { vectors: [all, most, none] } = embed([text(0, 12), `${text(2, 12)} extra`, text(12, 24)], size);
        assert.ok(cosine(all!, most!) > cosine(all!, none!) + 0.2);
      },
    ),
    { seed: 1, numRuns: 100 },
  );
});

Deno.test("an empty text is named as a failure and its memory is left alone", () => {
  const { embedInto } = createHashModel();
  const vectors = new Float32Array(3 * 128).fill(7);
  assert.deepEqual(embedInto(textBatch(["", "a", ""]), vectors), [
    { text: 0, reason: "the text is empty" },
    { text: 2, reason: "the text is empty" },
  ]);
  assert.ok(
    vectors.subarray(0, 128).every((value) => value === 7) && vectors.subarray(256).every((value) => value === 7),
  );
  assert.ok(vectors.subarray(128, 256).every((value) => value !== 7));
});

Deno.test("the model says that it is not semantic, in its name too", () => {
  assert.deepEqual(describeHashModel(), {
    id: "weir-hash-nonsemantic",
    revision: "1",
    dimensions: 128,
    semantic: false,
  });
});

Deno.test("a size the model does not have is refused, with the sizes it has", () => {
  for (const dimensions of [0, 127, 512, NaN, 128.5]) {
    assert.throws(() => createHashModel(dimensions), { kind: "configuration", message: /choose 128, 256, 384$/ });
  }
});
