import assert from "node:assert/strict";
import fc from "fast-check";
import { ByteTrie } from "./byte_trie.ts";

const same = Uint8Array.from({ length: 256 }, (_, byte) => byte);
const encoder = new TextEncoder();

Deno.test("the longest string that begins at a place is found, of however many", () => {
  const word = fc.string({ unit: fc.constantFrom(..."abcAB"), minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(fc.array(word, { maxLength: 300 }), fc.string({ unit: fc.constantFrom(..."abcAB"), maxLength: 20 }), (
      words,
      text,
    ) => {
      const trie = new ByteTrie(words.map((word, value) => [encoder.encode(word), value]), same);
      const bytes = encoder.encode(text);
      for (let from = 0; from <= text.length; from++) {
        const found = words.filter((word) => text.startsWith(word, from)).map((word) => word.length);
        const end = trie.longest(bytes, from, bytes.length);
        assert.equal(end, from + Math.max(0, ...found));
        if (end > from) assert.equal(trie.value, words.lastIndexOf(text.slice(from, end)));
      }
    }),
  );
});

Deno.test("a search ends where it is told to, and folds the bytes of the text", () => {
  const lower = same.map((byte) => byte >= 65 && byte <= 90 ? byte + 32 : byte);
  const trie = new ByteTrie([[encoder.encode("ab"), 2], [encoder.encode(""), 3]], lower);
  assert.equal(trie.longest(encoder.encode("ab"), 0, 1), 0);
  assert.equal(trie.longest(encoder.encode("xAB"), 1, 3), 3);
  assert.equal(trie.value, 2);
});

Deno.test("many strings are all found again", () => {
  const words = Array.from({ length: 20_000 }, (_, index) => encoder.encode(`${index.toString(36)}|`));
  const trie = new ByteTrie(words.map((word, value) => [word, value]), same);
  words.forEach((word, value) => {
    assert.equal(trie.longest(word, 0, word.length), word.length);
    assert.equal(trie.value, value);
  });
});
