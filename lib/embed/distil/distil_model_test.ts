import assert from "node:assert/strict";
import { join } from "node:path";
import { Random } from "../../domain/random.ts";
import { withTemporaryFolder } from "../../testing/temporary_folder.ts";
import { createEmbedder } from "../create_embedder.ts";
import { textBatch } from "../embedder.ts";
import { loadStaticModel } from "../static/load_static_model.ts";
import { openStockTokenizer } from "../static/stock_tokenizer.ts";
import { readTokenizerFile } from "../static/tokenizer_file.ts";
import { distilModel } from "./distil_model.ts";
import { domainPhrases } from "./domain_phrases.ts";
import { modelFiles, phraseTokenizer } from "./model_folder.ts";

const words = {
  kind: ["savings", "cheque", "visa", "loan"],
  bank: ["north", "south", "east", "west", "city"],
  size: ["tiny", "small", "large", "huge"],
};
const pieces = "abcdefghijklmnopqrstuvwxyz0123456789.:,".split("");
const vocabulary = ["[PAD]", "[UNK]", "[CLS]", ...Object.values(words).flat(), ...Object.keys(words), ...pieces].concat(
  pieces.filter((piece) => /\w/.test(piece)).map((piece) => `##${piece}`),
);
const document = readTokenizerFile(
  JSON.stringify({
    normalizer: { type: "BertNormalizer", clean_text: true, handle_chinese_chars: true, lowercase: true },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: null,
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: "[UNK]",
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(vocabulary.map((token, id) => [token, id])),
    },
  }),
  "tokenizer.json",
);

function records(seed: number, count: number): string[] {
  const random = new Random(seed, "records");
  const { kind, bank, size } = words;
  return Array.from(
    { length: count },
    () =>
      `Size: ${random.element(size)}, big. Account: ${random.element(kind)} ${random.element(bank)}. ` +
      `Other: ${random.element(kind)} ${random.element(bank)}. Amount: ${random.between(10, 999)}.${random.digits(2)}`,
  );
}

/** Distils the hash model, which knows nothing of meaning but is quick and always the same. */
async function distilled(dimensions = 48): Promise<ReadonlyMap<string, Uint8Array | string>> {
  const corpus = records(1, 400);
  const plain = await openStockTokenizer(document);
  const phrases = domainPhrases(corpus, {
    normalise: (text) => plain.normalise(text),
    isSplit: (word) => plain.encode(word).length > 1,
    vocabulary,
    minimumTexts: 5,
    maximumPhrases: 99,
  });
  const tokenizer = phraseTokenizer(document, { phrases, vocabularySize: vocabulary.length });
  const teacher = await createEmbedder("hash:128");
  try {
    const table = await distilModel({
      teacher,
      vocabulary,
      continuingPrefix: "##",
      phrases,
      pieces: plain,
      tokenizer: await openStockTokenizer(readTokenizerFile(JSON.stringify(tokenizer), "tokenizer.json")),
      unknownToken: 1,
      corpus,
      dimensions,
    });
    return modelFiles({ tokenizer, table, teacher: "hash", card: "" });
  } finally {
    await teacher.close();
  }
}

const first = distilled();

Deno.test("a distilled model is read as a static one, agrees with its teacher about new records, and is the same bytes again", async () => {
  const files = await first;
  assert.deepEqual(await distilled(), files);
  await withTemporaryFolder(async (folder) => {
    for (const [name, content] of files) {
      await Deno.writeFile(
        join(folder, name),
        typeof content === "string" ? new TextEncoder().encode(content) : content,
      );
    }
    const texts = records(2, 200);
    const model = await loadStaticModel({ folder, id: "distilled", revision: "1" });
    const vectors = new Float32Array(texts.length * 48);
    assert.deepEqual(await model.embedInto(textBatch(texts), vectors), []);
    const teacher = await createEmbedder("hash:128");
    const wanted = (await teacher.embed(textBatch(texts))).vectors;
    await teacher.close();
    assert.ok(agreement(vectors, wanted, texts.length) > 0.9);
  });
});

/** Pearson's correlation of the products of neighbouring records. */
function agreement(found: Float32Array, wanted: Float32Array, count: number): number {
  const products = (vectors: Float32Array) => {
    const size = vectors.length / count;
    return Array.from({ length: count - 1 }, (_, row) => {
      let sum = 0;
      for (let index = 0; index < size; index++) {
        sum += vectors[row * size + index]! * vectors[(row + 1) * size + index]!;
      }
      return sum;
    });
  };
  const [left, right] = [products(found), products(wanted)];
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [leftMean, rightMean] = [mean(left), mean(right)];
  const sum = (of: (index: number) => number) => left.reduce((total, _, index) => total + of(index), 0);
  const both = sum((index) => (left[index]! - leftMean) * (right[index]! - rightMean));
  const spread = sum((index) => (left[index]! - leftMean) ** 2) * sum((index) => (right[index]! - rightMean) ** 2);
  return both / Math.sqrt(spread);
}

Deno.test("more dimensions than the teacher has are refused before it is asked anything, with how many there may be", () =>
  assert.rejects(() => distilled(129), { kind: "configuration", advice: "Give --dimensions 128 or fewer" }));

Deno.test("amounts made of the same digits have different vectors", async () => {
  const files = await first;
  await withTemporaryFolder(async (folder) => {
    for (const [name, content] of files) {
      await Deno.writeFile(
        join(folder, name),
        typeof content === "string" ? new TextEncoder().encode(content) : content,
      );
    }
    const model = await loadStaticModel({ folder, id: "distilled", revision: "1" });
    const vectors = new Float32Array(2 * 48);
    await model.embedInto(textBatch(["Amount: 15.18", "Amount: 18.15"]), vectors);
    assert.notDeepEqual(vectors.subarray(0, 48), vectors.subarray(48));
  });
});
