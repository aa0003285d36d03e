/** Lower case as the tokenizers write it that vocabularies were made with. */

/** A step of `normalizer` in a tokenizer.json, as far as it says what becomes of capitals. */
interface Normalizer {
  readonly type?: unknown;
  readonly lowercase?: unknown;
  readonly normalizers?: unknown;
}

/**
 * What a text must pass through before the JavaScript library tokenizes it. That lower-cases a capital sigma at a word's end to ς, and
 * the library whose tokens models learnt, which looks at one character at a time, to σ. Other letters are the same up to U+FFFF; of
 * those beyond, the two know different versions of Unicode.
 *
 * @param normalizer `normalizer` of the tokenizer.json.
 */
export function forLowerCase(normalizer: unknown): (text: string) => string {
  return lowersCase(normalizer) ? (text) => text.replaceAll("Σ", "σ") : (text) => text;
}

function lowersCase(normalizer: unknown): boolean {
  const { type, lowercase, normalizers } = (normalizer ?? {}) as Normalizer;
  return type === "Lowercase" || lowercase === true || (Array.isArray(normalizers) && normalizers.some(lowersCase));
}
