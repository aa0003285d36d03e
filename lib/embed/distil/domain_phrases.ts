/**
 * The phrases of a corpus of record texts that deserve a token of their own: `counterparty: visa, african bank`. A mean over
 * tokens knows no order and no neighbours, so what belongs together must be one token to mean something together.
 */
import { segmentEnd } from "../static/text_tokenizer.ts";

/** Between the elements of a list inside a part of a text. */
export const elementEnd = "; ";
const labelEnd = ": ";

/** Which phrases. */
export interface PhraseOptions {
  /** The teacher's normaliser: phrases stand in a tokenizer as it leaves them. */
  readonly normalise: (text: string) => string;
  /** Whether the teacher reads a normalised word as several pieces. */
  readonly isSplit: (word: string) => boolean;
  /** The teacher's tokens. */
  readonly vocabulary: readonly string[];
  /** Texts a phrase must stand in. */
  readonly minimumTexts: number;
  /** Phrases at most, the most frequent. */
  readonly maximumPhrases: number;
}

/**
 * Whole parts `label: value` that many texts share, whole elements of lists, and words that the teacher knows in pieces alone, such
 * as names. Left out is what ends in a digit, because it would be found inside longer numbers too, and a word that stands inside
 * another. Beside them the hundredths of numbers, `.18`: without them 15.18 and 18.15 would be made of the same tokens. Most
 * frequent first.
 */
export function domainPhrases(texts: readonly string[], options: PhraseOptions): readonly string[] {
  const segments = countSegments(texts);
  const lists = new Set([...segments.keys()].filter((text) => text.includes(elementEnd)).map(labelOf));
  const counts = new Map<string, number>();
  for (const [segment, count] of segments) {
    const isList = lists.has(labelOf(segment)) && segment.includes(labelEnd);
    const found = isList ? segment.slice(labelOf(segment).length + labelEnd.length).split(elementEnd) : [segment];
    for (const text of found) {
      const phrase = options.normalise(text).trim();
      if (phrase.includes(" ") && !/\d$/.test(phrase)) counts.set(phrase, (counts.get(phrase) ?? 0) + count);
    }
    for (const [hundredths] of segment.matchAll(/(?<=\d)\.\d\d(?!\d)/g)) {
      counts.set(hundredths, (counts.get(hundredths) ?? 0) + count);
    }
  }
  for (const [word, count] of splitWords(segments, options)) counts.set(word, (counts.get(word) ?? 0) + count);
  return [...counts]
    .filter(([, count]) => count >= options.minimumTexts)
    .toSorted(([left, leftCount], [right, rightCount]) => rightCount - leftCount || (left < right ? -1 : 1))
    .slice(0, options.maximumPhrases)
    .map(([phrase]) => phrase);
}

/** A word as a token would have it: letters alone. */
const word = /(?<![\p{L}\p{N}])\p{L}{3,}(?![\p{L}\p{N}])/gu;

function splitWords(segments: ReadonlyMap<string, number>, options: PhraseOptions): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const [segment, count] of segments) {
    for (const [found] of options.normalise(segment).matchAll(word)) {
      counts.set(found, (counts.get(found) ?? 0) + count);
    }
  }
  const known = ` ${[...new Set([...counts.keys(), ...options.vocabulary])].join(" ")} `;
  const isInsideAnother = (found: string) => known.replace(` ${found} `, " ").includes(found);
  return new Map(
    [...counts].filter(([found, count]) =>
      count >= options.minimumTexts && options.isSplit(found) && !isInsideAnother(found)
    ),
  );
}

function countSegments(texts: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const segment of text.split(segmentEnd)) counts.set(segment, (counts.get(segment) ?? 0) + 1);
  }
  return counts;
}

function labelOf(segment: string): string {
  return segment.split(labelEnd, 1)[0]!;
}
