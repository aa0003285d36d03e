/** The tokenizer library of Hugging Face, behind what is needed of it: it reads every kind of tokenizer, one string at a time. */
import { forLowerCase } from "../lower_case.ts";
import type { TokenizerFile } from "./tokenizer_file.ts";

/** Gives a text its tokens, without those that only mark its beginning and end. */
export interface StockTokenizer {
  encode(text: string): readonly number[];
  /** A text as it stands before it is split into words. */
  normalise(text: string): string;
  /** Every token, also those added to the vocabulary, and its id. */
  vocabulary(): ReadonlyMap<string, number>;
}

/** Loads the library and gives it the file. */
export async function openStockTokenizer(file: TokenizerFile): Promise<StockTokenizer> {
  const { Tokenizer } = await import("@huggingface/tokenizers");
  const tokenizer = new Tokenizer(file, {});
  const prepared = forLowerCase(file.normalizer);
  return {
    encode: (text) => tokenizer.encode(prepared(text), { add_special_tokens: false }).ids,
    normalise: (text) => tokenizer.normalizer?.normalize(prepared(text)) ?? text,
    // Where ids are left out it names no token.
    vocabulary: () => new Map([...tokenizer.get_vocab()].filter(([token]) => token !== undefined)),
  };
}
