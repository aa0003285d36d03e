/**
 * BERT's tokenizer over bytes of ASCII: letters lower-cased, words split at white space and around punctuation, each word cut
 * greedily into the longest pieces of the vocabulary.
 *
 * Promise: for the bytes that {@linkcode WordPieces.covers} the ids are those of the Hugging Face tokenizers.
 */
import { ByteTrie } from "./byte_trie.ts";
import type { AddedToken, WordPieceRules } from "./tokenizer_file.ts";

/** What a byte is to the splitting of texts into words. */
const kind = { space: 0, letter: 1, punctuation: 2 } as const;

/** The id of what no piece of the vocabulary is, where the vocabulary has none for it. */
export const noToken = -1;

/** The tokenizer. Ids are written to {@linkcode ids}. */
export class WordPieces {
  /** Tokens of the latest text. */
  ids = new Int32Array(1024);
  /** Per byte: 1 where a text of such bytes is ours, 0 where it needs the stock tokenizer. */
  readonly covers: Uint8Array;
  readonly #kinds = byteKinds();
  readonly #fold: Uint8Array;
  /** Pieces that a word begins with, and those that it goes on with. */
  readonly #firsts: ByteTrie;
  readonly #others: ByteTrie;
  readonly #punctuation: Int32Array;
  readonly #phrases: ByteTrie;
  /** Per two bytes, folded: 1 where a phrase begins with them. Saves most searches for one. */
  readonly #phraseStarts: Uint8Array | undefined;
  readonly #unknown: number;
  readonly #maxWordBytes: number;
  #count = 0;

  /**
   * @param rules How words are split.
   * @param phrases Tokens looked for in the normalised text before it is split into words, normalised themselves.
   * @param raw Tokens looked for in the text as it stands.
   */
  constructor(rules: WordPieceRules, phrases: readonly PhraseToken[], raw: readonly AddedToken[]) {
    const encoder = new TextEncoder();
    const prefix = rules.continuingPrefix;
    this.#fold = foldedBytes(rules.lowerCase);
    const pieces = (prefix: string) =>
      Object.entries(rules.vocabulary)
        .filter(([token]) => token.startsWith(prefix) && isWord(token.slice(prefix.length)))
        .map(([token, id]) => [encoder.encode(token.slice(prefix.length)), id] as const);
    this.#firsts = new ByteTrie(pieces(""), this.#fold);
    this.#others = new ByteTrie(pieces(prefix), this.#fold);
    this.#unknown = rules.vocabulary[rules.unknownToken] ?? noToken;
    this.#punctuation = Int32Array.from({ length: 128 }, (_, byte) => {
      const character = String.fromCharCode(byte);
      return Object.hasOwn(rules.vocabulary, character) ? rules.vocabulary[character]! : this.#unknown;
    });
    this.#maxWordBytes = rules.maxWordCharacters;
    const encodedPhrases = phrases.map(({ text, id }) => [encoder.encode(text), id] as const);
    this.#phrases = new ByteTrie(encodedPhrases, this.#fold);
    this.#phraseStarts = phrases.length === 0 ? undefined : phraseStarts(encodedPhrases.map(([bytes]) => bytes));
    this.covers = coveredBytes(raw.map(({ content }) => encoder.encode(content)));
  }

  /** Whether every byte of a text is one that this tokenizer reads. */
  canRead(bytes: Uint8Array, from: number, to: number): boolean {
    const covers = this.covers;
    let all = 1;
    for (let index = from; index < to; index++) all &= covers[bytes[index]!]!;
    return all === 1;
  }

  /** Writes the tokens of a text to {@linkcode ids} and answers how many. Every token takes one byte of the text or more. */
  tokenize(bytes: Uint8Array, from: number, to: number): number {
    if (this.ids.length < to - from) this.ids = new Int32Array(2 * (to - from));
    this.#count = 0;
    if (this.#phraseStarts === undefined) this.#addWords(bytes, from, to);
    else this.#addPhrases(bytes, from, to);
    return this.#count;
  }

  /** The leftmost phrase first, of those that begin there the longest; the words between phrases as ever. */
  #addPhrases(bytes: Uint8Array, from: number, to: number): void {
    const fold = this.#fold;
    const starts = this.#phraseStarts!;
    let rest = from;
    let index = from;
    while (index < to) {
      const next = index + 1 < to ? fold[bytes[index + 1]!]! : 0;
      const mayBegin = starts[fold[bytes[index]!]! << 7 | next] === 1 || starts[fold[bytes[index]!]! << 7] === 1;
      const end = mayBegin ? this.#phrases.longest(bytes, index, to) : index;
      if (end === index) index++;
      else {
        const { value } = this.#phrases;
        this.#addWords(bytes, rest, index);
        this.ids[this.#count++] = value;
        rest = index = end;
      }
    }
    this.#addWords(bytes, rest, to);
  }

  #addWords(bytes: Uint8Array, from: number, to: number): void {
    const kinds = this.#kinds;
    let index = from;
    while (index < to) {
      const byte = bytes[index]!;
      if (kinds[byte] === kind.letter) {
        let end = index + 1;
        while (end < to && kinds[bytes[end]!] === kind.letter) end++;
        this.#addWord(bytes, index, end);
        index = end;
      } else {
        if (kinds[byte] === kind.punctuation) this.ids[this.#count++] = this.#punctuation[byte]!;
        index++;
      }
    }
  }

  #addWord(bytes: Uint8Array, from: number, to: number): void {
    const first = this.#count;
    let pieces = this.#firsts;
    let start = from;
    if (to - from <= this.#maxWordBytes) {
      for (let end = pieces.longest(bytes, start, to); end > start; end = pieces.longest(bytes, start, to)) {
        this.ids[this.#count++] = pieces.value;
        if (end === to) return;
        start = end;
        pieces = this.#others;
      }
    }
    // A word with a part that no piece is, is unknown as a whole.
    this.#count = first;
    this.ids[this.#count++] = this.#unknown;
  }
}

/** A token of several words. */
export interface PhraseToken {
  readonly text: string;
  readonly id: number;
}

/** ASCII's letters and digits, whose runs are words; what is neither they nor white space stands alone. */
function byteKinds(): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => {
    if (isLetter(byte)) return kind.letter;
    return byte > 0x20 && byte < 0x7f ? kind.punctuation : kind.space;
  });
}

/** Bytes as they are compared: letters lower-cased if asked for, white space as a space. */
function foldedBytes(lowerCase: boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => {
    if (isWhiteSpace(byte)) return 0x20;
    return lowerCase && byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
  });
}

/**
 * Printable ASCII and white space. What a text must be searched for as it stands is left to the stock tokenizer, as soon as its
 * first byte comes: hardly any text holds `[CLS]`.
 */
function coveredBytes(raw: readonly Uint8Array[]): Uint8Array {
  const firsts = new Set(raw.map((content) => content[0]));
  return Uint8Array.from({ length: 256 }, (_, byte) => {
    const isPlain = isWhiteSpace(byte) || byte >= 0x20 && byte < 0x7f;
    return isPlain && !firsts.has(byte) ? 1 : 0;
  });
}

function phraseStarts(phrases: readonly Uint8Array[]): Uint8Array {
  const starts = new Uint8Array(1 << 14);
  for (const [first, second = 0] of phrases) {
    if (first !== undefined && first < 0x80 && second < 0x80) starts[first << 7 | second] = 1;
  }
  return starts;
}

/** Whether a piece is letters and digits; no word holds others. */
function isWord(piece: string): boolean {
  return /^[0-9A-Za-z]+$/.test(piece);
}

function isLetter(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39 || byte >= 0x41 && byte <= 0x5a || byte >= 0x61 && byte <= 0x7a;
}

function isWhiteSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}
