/** Small static models made in code: BERT's tokenizer over a few words, and a table of numbers that look random. */
import { join } from "node:path";
import type { Tensor, TensorType } from "../embed/static/safetensors.ts";
import { readTokenizerFile, type TokenizerFile } from "../embed/static/tokenizer_file.ts";
import { writeSafetensors } from "../embed/static/write_safetensors.ts";

/** What can be chosen of a tokenizer. */
export interface SmallTokenizerOptions {
  /** Tokens of several words. Default none. */
  readonly phrases?: readonly string[];
  /** More of the vocabulary's words. */
  readonly words?: readonly string[];
  /** Default true. */
  readonly lowerCase?: boolean;
}

const specialTokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
const letters = "abcdefghijklmnopqrstuvwxyz0123456789";
/** Two signs of punctuation are left out: not every one is in a real vocabulary either. */
const punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_{|}";
const commonWords =
  `account amount bank bond branch card cash cheque city code currency date debit event female first gender
  holder income large last male method mobile month name night number old payment savings second status street
  time town transfer type value year the of in to for from cape johannesburg durban edith absa ##ing ##ed ##s
  ##er ##ly ##ment ##ion ##town ##burg ##ith ##00 ##19 ##20 2026 19 20 00 straße café εὖ 東 é ##é ð οδος οδοσ`.split(
    /\s+/,
  );

/** Tokenizer of a few hundred tokens, as the text of its file. */
export function smallTokenizer(options: SmallTokenizerOptions = {}): string {
  const { phrases = [], words = [], lowerCase = true } = options;
  const tokens = [
    ...specialTokens,
    ...letters,
    // Words of letters that are not known to go on so are unknown as a whole.
    ...[...letters].filter((letter) => letter !== "q").map((letter) => `##${letter}`),
    ...punctuation,
    ...commonWords,
    ...words,
  ];
  const vocab = Object.fromEntries([...new Set(tokens)].map((token, id) => [token, id]));
  const added = { single_word: false, lstrip: false, rstrip: false };
  const firstPhrase = Object.keys(vocab).length;
  return JSON.stringify({
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [
      ...specialTokens.map((content, id) => ({ ...added, id, content, normalized: false, special: true })),
      ...phrases.map((content, index) => (
        { ...added, id: firstPhrase + index, content, normalized: true, special: false }
      )),
    ],
    normalizer: {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: lowerCase,
    },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: null,
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: "[UNK]",
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab,
    },
  });
}

/** How many tokens a tokenizer has. */
export function tokensOf(tokenizer: string): number {
  const file: TokenizerFile = readTokenizerFile(tokenizer, "tokenizer.json");
  const ids = Object.values(file.model["vocab"] as Record<string, number>);
  return Math.max(...ids, ...file.added_tokens.map(({ id }) => id)) + 1;
}

/** Numbers that look random between -1 and 1, the same for the same seed. */
export function scattered(count: number, seed: number): Float64Array {
  let state = seed >>> 0;
  return Float64Array.from({ length: count }, () => {
    state = Math.imul(state, 1664525) + 1013904223 >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** A tensor of numbers, in one of the types that can be written. */
export function tensorOf(type: TensorType, shape: readonly number[], values: ArrayLike<number>): Tensor {
  const arrays = {
    F64: Float64Array,
    F32: Float32Array,
    F16: Float16Array,
    I32: Int32Array,
    I8: Int8Array,
  };
  if (type === "BF16") {
    const halves = new Uint16Array(Float32Array.from(values).buffer).filter((_, index) => index % 2 === 1);
    return { type, shape, bytes: new Uint8Array(halves.buffer) };
  }
  const array = type === "I64" ? BigInt64Array.from([...Array.from(values)].map(BigInt)) : arrays[type].from(values);
  return { type, shape, bytes: new Uint8Array(array.buffer) };
}

/** What a folder of {@linkcode writeStaticModel} holds. */
export interface StaticModelFiles {
  readonly tokenizer: string;
  readonly tensors: Readonly<Record<string, Tensor>>;
  /** Added to `config.json`. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/** Writes a model into a folder that exists. */
export async function writeStaticModel(
  folder: string,
  { tokenizer, tensors, config }: StaticModelFiles,
): Promise<void> {
  await Deno.writeTextFile(join(folder, "tokenizer.json"), tokenizer);
  await Deno.writeTextFile(
    join(folder, "config.json"),
    JSON.stringify({ model_type: "model2vec", normalize: true, ...config }),
  );
  await Deno.writeFile(join(folder, "model.safetensors"), writeSafetensors(tensors));
}
