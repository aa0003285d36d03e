import assert from "node:assert/strict";
import { Random } from "../../domain/random.ts";
import { keywordTexts } from "./keyword_texts.ts";

const corpus = Array.from(
  { length: 60 },
  (_, index) =>
    `Payment: large ${index}. Account: Visa, Absa Bank. Cards: Visa Nedbank; Amex Absa. Time: Saturday night`,
);

function made(seed: number): readonly string[] {
  const random = new Random(seed, "keywords");
  return keywordTexts(corpus, { every: 2, below: (bound) => random.below(bound) });
}

Deno.test("questions hold one to three values of a record, no labels, and one element of a list", () => {
  const texts = made(1);
  assert.equal(texts.length, 30);
  for (const text of texts) {
    assert.doesNotMatch(text, /[:;]/);
    const values = text.match(/large \d+|Visa, Absa Bank|Visa Nedbank|Amex Absa|Saturday night/g) ?? [];
    assert.equal(values.join(" "), text);
    assert.equal(new Set(values).size, values.length);
  }
  assert.deepEqual(
    new Set(texts.map((text) => text.match(/large|, Absa|Nedbank|Amex|night/g)!.length)),
    new Set([1, 2, 3]),
  );
});

Deno.test("the same random numbers ask the same questions", () => {
  assert.deepEqual(made(2), made(2));
  assert.notDeepEqual(made(2), made(3));
});
