import assert from "node:assert/strict";
import { domainPhrases } from "./domain_phrases.ts";

const texts = [
  "Kind: Big Order. Note: first of 7. Banks: North Bank Savings; South Bank Savings. Price: 12.50",
  "Kind: Big Order. Note: second. Banks: South Bank Savings. Price: 7.50",
  "Kind: Small Order. Born: 1980 7. Banks: North Bank Savings. Price: 7.25",
  "Kind: Small Order. Born: 1980 7",
];
const options = {
  normalise: (text: string) => text.toLowerCase(),
  isSplit: () => false,
  vocabulary: [],
  minimumTexts: 2,
  maximumPhrases: 100,
};

Deno.test("whole parts and elements of lists that enough texts share are phrases, the most frequent first", () => {
  assert.deepEqual(domainPhrases(texts, options), [
    ".50",
    "kind: big order",
    "kind: small order",
    "north bank savings",
    "south bank savings",
  ]);
});

Deno.test("no more phrases are taken than asked for, and of equally frequent ones always the same", () => {
  assert.deepEqual(domainPhrases(texts, { ...options, maximumPhrases: 2 }), [".50", "kind: big order"]);
  assert.deepEqual(domainPhrases(texts.toReversed(), { ...options, maximumPhrases: 2 }), [".50", "kind: big order"]);
  assert.deepEqual(domainPhrases([], options), []);
});

Deno.test("a word is a phrase where the teacher knows it in pieces alone and no other word has it inside", () => {
  const names = ["Name: Zola Mkhize", "Name: Zola Mkhize", "Name: Anne Nel", "Name: Anne Nel", "Name: Nelson"];
  const found = domainPhrases(names.map((name, index) => `${name} ${index}`), {
    ...options,
    isSplit: (word) => word !== "anne",
    vocabulary: ["anne", "gorgonzola"],
  });
  assert.deepEqual(found, ["name", "mkhize"]);
});
