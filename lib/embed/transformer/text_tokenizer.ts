/** Texts into the ids a model reads, cut as sentence-transformers cuts them. */
import type { Tokenizer } from "@huggingface/tokenizers";
import { WeirError } from "../../errors.ts";

/** How a model reads texts. */
export interface ReadingRules {
  /** Most tokens of one text, those the model adds included. */
  readonly maxTokens: number;
  /** Stands before every text. */
  readonly prompt: string;
  /** Whether the text is lower-cased before it is tokenized. */
  readonly lowerCase: boolean;
}

/** Ids of one text. */
export interface TokenIds {
  readonly ids: readonly number[];
  /** Whether only the text's beginning is there. */
  readonly truncated: boolean;
}

/**
 * Tokenizer of one model. The package's own truncation would cut off the token that closes a text (`[SEP]`); here the text is cut,
 * and what stands around it stays.
 */
export class TextTokenizer {
  readonly #tokenizer: Tokenizer;
  readonly #prepared: (text: string) => string;
  readonly #rules: ReadingRules;
  readonly #before: readonly number[];
  readonly #after: readonly number[];

  /**
   * @param prepared What a text passes through first (`forLowerCase`).
   * @throws {WeirError} `configuration` if nothing of a text would be read.
   */
  constructor(
    { tokenizer, prepared }: { readonly tokenizer: Tokenizer; readonly prepared: (text: string) => string },
    rules: ReadingRules,
  ) {
    this.#tokenizer = tokenizer;
    this.#prepared = prepared;
    this.#rules = rules;
    [this.#before, this.#after] = aroundTexts(tokenizer);
    if (this.#room < 1) {
      throw new WeirError("configuration", `A model that reads ${rules.maxTokens} tokens reads nothing of a text`);
    }
  }

  /** Ids of a text; whitespace around it does not count. */
  read(text: string): TokenIds {
    const { prompt, lowerCase } = this.#rules;
    const stripped = (prompt + text).trim();
    // Here a final sigma is ς, as it is in Python.
    const cased = lowerCase ? stripped.toLowerCase() : stripped;
    const { ids } = this.#tokenizer.encode(this.#prepared(cased), { add_special_tokens: false });
    const truncated = ids.length > this.#room;
    return { ids: [...this.#before, ...(truncated ? ids.slice(0, this.#room) : ids), ...this.#after], truncated };
  }

  get #room(): number {
    return this.#rules.maxTokens - this.#before.length - this.#after.length;
  }
}

/** What the model's template puts before and after a text, learnt from a word. */
function aroundTexts(tokenizer: Tokenizer): readonly [readonly number[], readonly number[]] {
  const word = "a";
  const { ids: bare } = tokenizer.encode(word, { add_special_tokens: false });
  const { ids: whole } = tokenizer.encode(word);
  const start = whole.findIndex((_, index) => bare.every((id, at) => whole[index + at] === id));
  if (bare.length === 0 || start < 0) {
    throw new WeirError("configuration", "The tokenizer gives no ids for a word, so that texts cannot be read with it");
  }
  return [whole.slice(0, start), whole.slice(start + bare.length)];
}
