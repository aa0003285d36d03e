import assert from "node:assert/strict";
import { Random } from "../../domain/random.ts";
import { misspellings } from "./misspelling.ts";

const corpus = Array.from(
  { length: 40 },
  (_, index) => `Name: Person${"abcdefghij"[index % 10]}mer. Suburb: Ço${index}.`,
)
  .concat("Name: Zoë Mkhizeö. Born: 1984.");

function made(seed: number) {
  const random = new Random(seed, "slips");
  return misspellings(corpus, { perText: 3, below: (bound) => random.below(bound) });
}

Deno.test("one word of a text is misspelt, in its letters alone, and never one that most texts hold", () => {
  const words = (text: string) => text.split(/[^\p{L}\d]+/u);
  const variants = made(1);
  assert.equal(variants.length, 3 * corpus.length);
  for (const { text, of } of variants) {
    const [before, after] = [words(corpus[of]!), words(text)];
    assert.equal(after.length, before.length);
    const changed = before.flatMap((word, place) => word === after[place] ? [] : [word]);
    assert.ok(changed.length <= 1, text);
    for (const word of changed) assert.match(word, /^Person|^Mkhizeö$|^Born$/);
  }
  assert.ok(variants.filter(({ text, of }) => text !== corpus[of]).length > 100);
});

Deno.test("the same random numbers make the same misspellings, and a text without a long seldom word has none", () => {
  assert.deepEqual(made(2), made(2));
  assert.notDeepEqual(made(2), made(3));
  assert.deepEqual(misspellings(["Name: Jo 1984", "Name: Al 4.5"], { perText: 1, below: () => 0 }), []);
});

Deno.test("an amount keeps its first two digits and its length", () => {
  const random = new Random(4, "amounts");
  const amounts = Array.from({ length: 20 }, (_, index) => `Amount: ${18_200 + index}.61`);
  const found = misspellings(amounts, { perText: 5, below: (bound) => random.below(bound) });
  for (const { text } of found) assert.match(text, /^Amount: 18\d{3}\.\d{2}$/);
  assert.ok(new Set(found.map(({ text }) => text)).size > 90);
});
