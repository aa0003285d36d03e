/**
 * Record texts with a slip of the pen, so that a model can be taught that they mean the same. A static model reads a misspelt name as
 * a handful of pieces which no text holds otherwise, and an amount one hundredth higher as other digits; without having met such it
 * lets them say anything.
 */

/** A word as names have it: letters of any script, apart from their marks; or a number with a fraction, as amounts have it. */
const slipping = /\p{L}{4,}|\d{2,}\.\d+/gu;

/** What {@linkcode misspellings} goes by. */
export interface MisspellingOptions {
  /** How often every text is misspelt. */
  readonly perText: number;
  /** A whole number from 0 to below the bound; the same each time for the same result each time. */
  readonly below: (bound: number) => number;
}

/** A text, and which text of the corpus it stands for. */
export interface Variant {
  readonly text: string;
  /** Place in the corpus. */
  readonly of: number;
}

/** Words that at least this share of the texts hold are labels and fixed terms, which programs write and nobody misspells. */
const commonShare = 0.1;

/** Texts of a corpus with one slip each, in a word or in a number; texts of common and short words alone have none. */
export function misspellings(corpus: readonly string[], { perText, below }: MisspellingOptions): readonly Variant[] {
  const common = commonWords(corpus);
  return corpus.flatMap((text, of) => {
    const words = [...text.matchAll(slipping)].filter(([found]) => !common.has(found.toLowerCase()));
    if (words.length === 0) return [];
    return Array.from({ length: perText }, () => {
      const { index, 0: found } = words[below(words.length)]!;
      return { text: text.slice(0, index) + misspelt(found, below) + text.slice(index + found.length), of };
    });
  });
}

function commonWords(corpus: readonly string[]): ReadonlySet<string> {
  const counts = new Map<string, number>();
  for (const text of corpus) {
    for (const found of new Set(text.toLowerCase().match(slipping))) counts.set(found, (counts.get(found) ?? 0) + 1);
  }
  return new Set([...counts].filter(([, count]) => count >= commonShare * corpus.length).map(([found]) => found));
}

function misspelt(found: string, below: (bound: number) => number): string {
  return /^\d/.test(found) ? otherEnd(found, below) : otherLetters(found, below);
}

/** What stands behind a number's first two digits is another: the amount is about the same. */
function otherEnd(found: string, below: (bound: number) => number): string {
  return found.slice(0, 2) + found.slice(2).replaceAll(/\d/g, () => String(below(10)));
}

/** Two neighbouring letters change places, or one is left out, or written twice. */
function otherLetters(found: string, below: (bound: number) => number): string {
  const letters = [...found];
  const place = below(letters.length - 1);
  const [letter, next] = [letters[place]!, letters[place + 1]!];
  const instead = [[next, letter], [next], [letter, letter, next]][below(3)]!;
  return [...letters.slice(0, place), ...instead, ...letters.slice(place + 2)].join("");
}
