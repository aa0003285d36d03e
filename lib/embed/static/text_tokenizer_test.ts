import assert from "node:assert/strict";
import fc from "fast-check";
import { smallTokenizer, type SmallTokenizerOptions, tokensOf } from "../../testing/static_model_files.ts";
import { openStockTokenizer } from "./stock_tokenizer.ts";
import { segmentEnd, TextTokenizer } from "./text_tokenizer.ts";
import { readTokenizerFile } from "./tokenizer_file.ts";

const phrases = [
  "cape town",
  "town hall",
  "card payment",
  "p.o.",
  "café noir",
  "at",
  "x y z",
  "amount: large",
  "(",
];

/** Both tokenizers of a file, as functions of a text. */
async function tokenizers(tokenizer: string) {
  const file = readTokenizerFile(tokenizer, "tokenizer.json");
  const ours = await TextTokenizer.open(file);
  const stock = await openStockTokenizer(file);
  return {
    ours,
    idsOf(text: string): number[] {
      // Something stands before and behind, as in a batch.
      const bytes = new TextEncoder().encode(`a${text}b`);
      const count = ours.tokenize(bytes, 1, bytes.length - 1);
      return [...ours.ids.subarray(0, count)];
    },
    stockIdsOf: (text: string) => [...stock.encode(text)],
  };
}

const wordParts = [
  "town",
  "Cape",
  "ing",
  "q",
  "19",
  "2026",
  "00",
  "z",
  "E",
  "qqq",
  "card",
  "payment",
  "x",
  "y",
  "absa",
];
const signs = [
  " ",
  "  ",
  ". ",
  ".",
  ":",
  "-",
  "'",
  "`",
  "~",
  "(",
  ")",
  "@",
  "/",
  "\t",
  "\n",
  "\r",
  "\r\n",
  "[",
  "]",
  "##",
  "_",
];
const rare = [
  "\0",
  "\x01",
  "\x0b",
  "\x0c",
  "\x1f",
  "\x7f",
  "[CLS]",
  "[UNK]",
  "[cls]",
  "[PAD",
  "p.o. box",
  "P.O. BOX",
  "cape\ttown",
];
const foreign = [
  "é",
  "É",
  "e\u0301",
  "Straße",
  "東京",
  "🙂",
  "\u00a0",
  "\u2028",
  "\ufeff",
  "İ",
  "ﬁ",
  "“",
  "—",
  "café noir",
  "Σς",
];

const textsOf = (units: readonly string[], maxLength = 40) =>
  fc.array(fc.constantFrom(...units), { maxLength }).map((parts) => parts.join(""));

const variants: Readonly<Record<string, SmallTokenizerOptions>> = {
  "a plain vocabulary": {},
  "phrases": { phrases },
  "phrases that reach over the end of a segment": { phrases: ["town. cape", "cape town", "p.o. box"] },
  "letters that are not lower-cased": { lowerCase: false, words: ["Cape", "E", "##E", "É"], phrases: ["Cape Town"] },
};

for (const [name, options] of Object.entries(variants)) {
  Deno.test(`with ${name} every text has the ids that the stock tokenizer gives it`, async () => {
    const { idsOf, stockIdsOf, ours } = await tokenizers(smallTokenizer(options));
    const ascii = fc.string({ unit: "binary-ascii", maxLength: 60 });
    const text = fc.oneof(
      textsOf([...wordParts, ...signs]),
      textsOf([...wordParts, ...signs, ...phrases, ...rare]),
      textsOf([...wordParts, ...signs, ...phrases, ...rare, ...foreign], 20),
      ascii,
    );
    const fixed = ["", " ", "a".repeat(100), "a".repeat(101), `town${"a".repeat(97)} town`, "townq", "cape townships"];
    fc.assert(
      fc.property(text, (text) => {
        const expected = stockIdsOf(text);
        assert.deepEqual(idsOf(text), expected);
        if (!ours.separable) return;
        const segments = text.split(segmentEnd).map((part, index, all) =>
          index < all.length - 1 ? part + segmentEnd : part
        );
        assert.deepEqual(segments.flatMap(idsOf), expected, "a text's tokens are those of its segments");
      }),
      { numRuns: 2000, examples: fixed.map((text) => [text]) },
    );
  });
}

Deno.test("a text is cut into segments only where no token reaches over the cut", async () => {
  const separable = async (options: SmallTokenizerOptions) =>
    (await tokenizers(smallTokenizer(options))).ours.separable;
  assert.equal(await separable({ phrases }), true);
  assert.equal(await separable({ phrases: ["town. cape"] }), false);
  assert.equal(await separable({ phrases: ["town.\tcape"] }), false);
});

Deno.test("a tokenizer of another kind is read by the stock one", async () => {
  const file = {
    normalizer: null,
    pre_tokenizer: { type: "WhitespaceSplit" },
    post_processor: null,
    decoder: null,
    model: { type: "Unigram", unk_id: 0, vocab: [["<unk>", 0], ["town", -1], ["cape", -2], ["t", -9], ["o", -9]] },
    added_tokens: [{ id: 0, content: "<unk>", special: true }],
  };
  const { idsOf, ours } = await tokenizers(JSON.stringify(file));
  assert.equal(ours.separable, false);
  assert.equal(ours.unknown, 0);
  assert.equal(ours.rows, 5);
  assert.deepEqual(idsOf("cape town cap"), [2, 1, 0]);
});

Deno.test("a token that must stand alone, or takes the white space around it, leaves every text to the stock tokenizer", async () => {
  const file = JSON.parse(smallTokenizer({ phrases: ["cape town"] }));
  file.added_tokens.at(-1).single_word = true;
  assert.equal((await tokenizers(JSON.stringify(file))).ours.separable, false);
  const spaced = await tokenizers(smallTokenizer({ phrases: [" town"] }));
  assert.equal(spaced.ours.separable, false);
  assert.deepEqual(spaced.idsOf("cape town"), spaced.stockIdsOf("cape town"));
});

Deno.test("what the model needs to know of its vocabulary is counted as model2vec does", async () => {
  const tokenizer = smallTokenizer({ phrases });
  const { ours } = await tokenizers(tokenizer);
  assert.equal(ours.rows, tokensOf(tokenizer));
  assert.equal(ours.unknown, 1);
  const file = JSON.parse(tokenizer);
  file.model.vocab = { "[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4, "東京abc": 5 };
  file.added_tokens = file.added_tokens.slice(0, 5);
  assert.equal((await tokenizers(JSON.stringify(file))).ours.medianTokenCharacters, 5);
  file.model.vocab["ab"] = 6;
  file.model.vocab["abc"] = 7;
  assert.equal((await tokenizers(JSON.stringify(file))).ours.medianTokenCharacters, 5);
});
