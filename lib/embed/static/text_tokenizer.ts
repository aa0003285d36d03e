/**
 * From the bytes of a text to tokens: our own tokenizer where it reads the bytes, the stock one for everything else.
 */
import { openStockTokenizer, type StockTokenizer } from "./stock_tokenizer.ts";
import { type AddedToken, type TokenizerFile, wordPieceRules } from "./tokenizer_file.ts";
import { noToken, type PhraseToken, WordPieces } from "./word_pieces.ts";

/** Where a record's text may be cut into segments: between the parts of a record. */
export const segmentEnd = ". ";

/** Gives texts their tokens. */
export class TextTokenizer {
  /**
   * Whether the tokens of a text are those of its segments, one after another: no token reaches over a {@linkcode segmentEnd},
   * and a segment's tokens do not depend on what is around it.
   */
  readonly separable: boolean;
  /** The token for what is in no vocabulary, which is left out of vectors; {@linkcode noToken} where there is none. */
  readonly unknown: number;
  /** One more than the highest id: how many rows a table needs. */
  readonly rows: number;
  /** How long a token of the vocabulary is, half of them being shorter, half longer; rounded down. */
  readonly medianTokenCharacters: number;
  readonly #own: WordPieces | undefined;
  readonly #stock: StockTokenizer;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #ids = new Int32Array(0);

  private constructor(file: TokenizerFile, stock: StockTokenizer) {
    this.#stock = stock;
    const vocabulary = stock.vocabulary();
    this.rows = [...vocabulary.values()].reduce((highest, id) => Math.max(highest, id), noToken) + 1;
    this.medianTokenCharacters = Math.floor(median([...vocabulary.keys()].map((token) => [...token].length)));
    this.unknown = unknownToken(file, vocabulary);
    const rules = wordPieceRules(file);
    const added = file.added_tokens.filter(({ content }) => content !== "");
    if (rules === undefined || added.some(isUnevenlyRead)) {
      this.separable = false;
      return;
    }
    const raw = added.filter((token) => !isNormalised(token));
    const phrases = added.filter(isNormalised).map(({ content, id }): PhraseToken => ({
      text: stock.normalise(content),
      id,
    }));
    this.#own = new WordPieces(rules, phrases, raw);
    this.separable = ![...raw.map(({ content }) => content), ...phrases.map(({ text }) => text)]
      .some((text) => text.includes(segmentEnd) || /\.[\t\n\r]/.test(text));
  }

  /** Loads what the file needs. */
  static async open(file: TokenizerFile): Promise<TextTokenizer> {
    return new TextTokenizer(file, await openStockTokenizer(file));
  }

  /** Tokens of the latest text. */
  get ids(): Int32Array {
    return this.#ids;
  }

  /** Writes the tokens of a text to {@linkcode ids} and answers how many. */
  tokenize(bytes: Uint8Array, from: number, to: number): number {
    const own = this.#own;
    if (own?.canRead(bytes, from, to)) {
      const count = own.tokenize(bytes, from, to);
      this.#ids = own.ids;
      return count;
    }
    const ids = this.#stock.encode(this.#decoder.decode(bytes.subarray(from, to)));
    this.#ids = Int32Array.from(ids, (id: number | undefined) => id ?? noToken);
    return ids.length;
  }
}

function isNormalised({ normalized, special }: AddedToken): boolean {
  return normalized ?? !special;
}

/** Whether the libraries differ in how they read a token, or white space at its ends makes it depend on its neighbours. */
function isUnevenlyRead({ single_word, content }: AddedToken): boolean {
  return single_word || content.trim() !== content;
}

function unknownToken({ model }: TokenizerFile, vocabulary: ReadonlyMap<string, number>): number {
  const { unk_token: token, unk_id: id } = model;
  if (typeof token === "string") return vocabulary.get(token) ?? noToken;
  return typeof id === "number" ? id : noToken;
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((left, right) => left - right);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
