import assert from "node:assert/strict";
import fc from "fast-check";
import {
  scattered,
  smallTokenizer,
  type StaticModelFiles,
  tensorOf,
  tokensOf,
  writeStaticModel,
} from "../../testing/static_model_files.ts";
import { withTemporaryFolder } from "../../testing/temporary_folder.ts";
import { textBatch } from "../embedder.ts";
import type { StaticModel } from "./static_model.ts";
import { loadStaticModel } from "./load_static_model.ts";
import type { TensorType } from "./safetensors.ts";
import { openStockTokenizer } from "./stock_tokenizer.ts";
import { readTokenizerFile } from "./tokenizer_file.ts";

const tokenizer = smallTokenizer({ phrases: ["cape town", "card payment"] });
const tokens = tokensOf(tokenizer);
const unknown = 1;

function load(files: StaticModelFiles): Promise<StaticModel> {
  return withTemporaryFolder(async (folder) => {
    await writeStaticModel(folder, files);
    return await loadStaticModel({ folder, id: "small", revision: "1" });
  });
}

function tableOf(dimensions: number, type: TensorType = "F32", scale = 1) {
  return tensorOf(type, [tokens, dimensions], scattered(tokens * dimensions, dimensions).map((value) => value * scale));
}

/** Vectors of texts, and the failures. */
async function embed({ model, embedInto }: StaticModel, texts: readonly string[]) {
  const vectors = new Float32Array(texts.length * model.dimensions);
  const failures = await embedInto(textBatch(texts), vectors);
  const vectorOf = (text: number) => vectors.slice(text * model.dimensions, (text + 1) * model.dimensions);
  return { failures, vectors: texts.map((_, text) => vectorOf(text)) };
}

/** A model in double precision, from the ids of the stock tokenizer. */
async function referenceOf(dimensions: number, rowOf: (token: number) => ArrayLike<number>, maxTokens = 512) {
  const stock = await openStockTokenizer(readTokenizerFile(tokenizer, "tokenizer.json"));
  return (text: string): Float64Array => {
    const sum = new Float64Array(dimensions);
    for (const id of stock.encode(text).slice(0, maxTokens)) {
      if (id !== unknown) { for (let column = 0; column < dimensions; column++) sum[column]! += rowOf(id)[column]!; }
    }
    const length = Math.hypot(...sum);
    return sum.map((value) => value / length);
  };
}

function assertNear(vector: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  assert.equal(vector.length, expected.length);
  for (let column = 0; column < vector.length; column++) {
    const difference = Math.abs(vector[column]! - expected[column]!);
    assert.ok(difference <= tolerance, `column ${column} is ${difference} off`);
  }
}

const parts = [
  "Gender: F. ",
  "City: Cape Town. ",
  "Amount: 19.20. ",
  "Type: card payment. ",
  "Name: Édith. ",
  "Street: Straße 9. ",
];
const words = ["town", " ", ". ", "card", "payment", "19", "20", "q", ":", "é", "Absa", "1", "z", "[CLS]", "\n"];
/** Texts of which each holds something that the model knows. */
const records = fc.array(fc.oneof(fc.constantFrom(...parts), fc.constantFrom(...words)), { maxLength: 60 })
  .map((pieces) => `a ${pieces.join("")}`);

for (const dimensions of [5, 32, 128, 384]) {
  Deno.test(`a vector of ${dimensions} floats is the mean of its tokens' rows brought to length 1`, async () => {
    const values = scattered(tokens * dimensions, dimensions);
    const model = await load({ tokenizer, tensors: { embeddings: tableOf(dimensions) } });
    const rows = Array.from(
      { length: tokens },
      (_, token) => Float32Array.from(values.subarray(token * dimensions, (token + 1) * dimensions)),
    );
    const reference = await referenceOf(dimensions, (token) => rows[token]!);
    await fc.assert(
      fc.asyncProperty(fc.array(records, { minLength: 1, maxLength: 10 }), async (texts) => {
        const { vectors, failures } = await embed(model, texts);
        assert.deepEqual(failures, []);
        texts.forEach((text, index) => assertNear(vectors[index]!, reference(text), 1e-6));
      }),
      { numRuns: 25 },
    );
  });
}

for (const type of ["F32", "I8"] as const) {
  Deno.test(`the same text has the same vector to the bit, whatever was embedded before and beside it (${type})`, async () => {
    const tensors = { embeddings: tableOf(32, type, type === "I8" ? 127 : 1) };
    const warm = await load({ tokenizer, tensors });
    await fc.assert(
      fc.asyncProperty(fc.array(records, { minLength: 1, maxLength: 8 }), async (texts) => {
        const cold = await load({ tokenizer, tensors });
        const expected = await Promise.all(texts.map((text) => embed(cold, [text])));
        const first = await embed(warm, texts);
        const again = await embed(warm, texts.toReversed());
        assert.deepEqual(first.vectors, expected.map(({ vectors }) => vectors[0]));
        assert.deepEqual(again.vectors.toReversed(), first.vectors);
      }),
      { numRuns: 25 },
    );
  });
}

Deno.test("a segment that is let into a place which another one holds changes no vector", async () => {
  // 384 floats: some 5,000 places.
  const model = await load({ tokenizer, tensors: { embeddings: tableOf(384) } });
  const segments = Array.from({ length: 15_000 }, (_, index) => `${index.toString(36)}. `);
  const texts = Array.from(
    { length: segments.length / 50 },
    (_, text) => segments.slice(text * 50, (text + 1) * 50).join(""),
  );
  const rounds = [await embed(model, texts), await embed(model, texts), await embed(model, texts)];
  for (const index of [0, 1, 2, 99, 298, 299]) {
    const cold = await load({ tokenizer, tensors: { embeddings: tableOf(384) } });
    const [expected] = (await embed(cold, [texts[index]!])).vectors;
    for (const { vectors } of rounds) assert.deepEqual(vectors[index], expected);
  }
});

Deno.test("weights and shared rows count, as a model of a smaller table has them", async () => {
  const dimensions = 8;
  const shared = 20;
  const values = Float32Array.from(scattered(shared * dimensions, 1));
  const weights = Float32Array.from(scattered(tokens, 2));
  const mapping = Array.from({ length: tokens }, (_, token) => token * 7 % shared);
  const reference = await referenceOf(dimensions, (token) => {
    const first = mapping[token]! * dimensions;
    return values.subarray(first, first + dimensions).map((value) => value * weights[token]!);
  });
  for (const type of ["I32", "I64"] as const) {
    const model = await load({
      tokenizer,
      tensors: {
        embeddings: tensorOf("F32", [shared, dimensions], values),
        weights: tensorOf("F32", [tokens], weights),
        mapping: tensorOf(type, [tokens], mapping),
      },
    });
    const text = "First name: Edith. City: Cape Town. Large card payment";
    assertNear((await embed(model, [text])).vectors[0]!, reference(text), 1e-6);
  }
});

for (const [type, tolerance] of [["F64", 1e-6], ["F16", 1e-3], ["BF16", 1e-2]] as const) {
  Deno.test(`a table of ${type} gives the vectors of the numbers in it`, async () => {
    const text = "First name: Edith. City: Cape Town";
    const [exact, stored] = await Promise.all(
      ["F32", type].map(async (type) =>
        embed(await load({ tokenizer, tensors: { embeddings: tableOf(16, type as TensorType) } }), [text])
      ),
    );
    assertNear(stored!.vectors[0]!, exact!.vectors[0]!, tolerance);
  });
}

Deno.test("as much of a text is read as the model says: tokens, unknown ones too, and characters before", async () => {
  const tensors = { embeddings: tableOf(16) };
  const short = await load({ tokenizer, tensors, config: { max_length: 8 } });
  const reference = await referenceOf(16, rowReader(16), 8);
  const cut = [
    "a b c d e f g h",
    "a b c. d e. f g h i. j k",
    "ø ø ø. ø ø ø. town town town",
    "é é é é é é é é é é é town",
  ];
  for (const text of [...cut, "a b c. d e. f g h i. j k"]) {
    assertNear((await embed(short, [text])).vectors[0]!, reference(text), 1e-6);
  }
  // The median token of this vocabulary has 3 characters: what stands behind 24 is not read at all.
  const long = "townstownstownstownstown";
  assert.deepEqual(
    (await embed(short, [`${long}streets`])).vectors,
    (await embed(short, [long])).vectors,
  );
  const whole = await load({ tokenizer, tensors, config: { max_length: null } });
  const endless = await referenceOf(16, rowReader(16), Infinity);
  const text = "town ".repeat(700) + "card. ".repeat(300) + "q".repeat(90);
  // A thousand equal rows are the worst there is: each addition rounds the same way.
  assertNear((await embed(whole, [text])).vectors[0]!, endless(text), 1e-5);
});

function rowReader(dimensions: number): (token: number) => Float32Array {
  const values = Float32Array.from(scattered(tokens * dimensions, dimensions));
  return (token) => values.subarray(token * dimensions, (token + 1) * dimensions);
}

Deno.test("texts that are longer than the model reads are counted", async () => {
  const { embedInto } = await load({ tokenizer, tensors: { embeddings: tableOf(16) }, config: { max_length: 4 } });
  const truncatedOf = (text: string) => {
    const counts = { truncated: 0 };
    embedInto(textBatch([text]), new Float32Array(16), counts);
    return counts.truncated;
  };
  for (const text of ["a b c d", "a b. c", "a b. ", "a. b. ", "ø ø ø ø"]) assert.equal(truncatedOf(text), 0, text);
  for (const text of ["a b c d e", "a b. c d", "a. b. c", "a b c . d", "ø ø ø ø ø", "townstownstowns"]) {
    assert.equal(truncatedOf(text), 1, text);
    assert.equal(truncatedOf(text), 1, "also when its segments are known");
    assert.equal(truncatedOf(""), 0);
  }
});

Deno.test("a text without a token that the model knows is a failure, and its neighbours are not touched", async () => {
  const model = await load({ tokenizer, tensors: { embeddings: tableOf(16) } });
  const { vectors, failures } = await embed(model, ["town", "", " \n ", "ø", "~ ø", "ø. town. ø", "`", "town"]);
  assert.deepEqual(failures.map(({ text }) => text), [1, 2, 3, 4, 6]);
  for (const { text, reason } of failures) {
    assert.ok(reason.length > 10);
    assert.deepEqual(vectors[text], new Float32Array(16));
  }
  assert.deepEqual(vectors[0], vectors[7]);
  assert.ok(Math.abs(Math.hypot(...vectors[0]!) - 1) < 1e-6);
});

Deno.test("a text whose rows add up to nothing is a failure", async () => {
  const table = new Float32Array(tokens * 4);
  const model = await load({ tokenizer, tensors: { embeddings: tensorOf("F32", [tokens, 4], table) } });
  assert.deepEqual((await embed(model, ["town"])).failures.map(({ text }) => text), [0]);
});
