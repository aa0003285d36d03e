/** What of a `tokenizer.json` decides the tokens of a text, as far as our own tokenizer follows it. */
import { z } from "zod";
import { WeirError } from "../../errors.ts";

/** A token that is looked for in a text before it is split into words. */
const addedTokenSchema = z.object({
  id: z.int().nonnegative(),
  content: z.string(),
  single_word: z.boolean().default(false),
  lstrip: z.boolean().default(false),
  rstrip: z.boolean().default(false),
  normalized: z.boolean().optional(),
  special: z.boolean().default(false),
});

const tokenizerSchema = z.looseObject({
  added_tokens: z.array(addedTokenSchema).default([]),
  normalizer: z.looseObject({ type: z.string() }).nullish(),
  pre_tokenizer: z.looseObject({ type: z.string() }).nullish(),
  model: z.looseObject({ type: z.string().optional() }),
});

const wordPieceSchema = z.object({
  unk_token: z.string(),
  continuing_subword_prefix: z.string().default("##"),
  max_input_chars_per_word: z.int().positive().default(100),
  // Not looked at one by one: that took as long as reading them.
  vocab: z.custom<Readonly<Record<string, number>>>((value) => typeof value === "object" && value !== null),
});

const bertNormalizerSchema = z.object({ clean_text: z.literal(true), lowercase: z.boolean() });

/** A `tokenizer.json`, read. */
export type TokenizerFile = z.infer<typeof tokenizerSchema>;

/** An entry of `added_tokens`. */
export type AddedToken = z.infer<typeof addedTokenSchema>;

/** Kinds of `model` that there are; files of former times say none. The library would take any other for one of them. */
const modelTypes: readonly unknown[] = ["WordPiece", "Unigram", "BPE", "WordLevel", undefined];

/** Throws `configuration` for a tokenizer of a kind that is not known. */
export function requireKnownModel(model: unknown, path: string): void {
  const { type } = (model ?? {}) as { readonly type?: unknown };
  if (!modelTypes.includes(type)) {
    throw unusableTokenizer(`its model is of the unknown type ${JSON.stringify(type)}`, path);
  }
}

/** A tokenizer.json that cannot be used, and why. */
export function unusableTokenizer(reason: unknown, path: string): WeirError {
  const what = reason instanceof Error ? reason.message : String(reason);
  return new WeirError("configuration", `The model's tokenizer.json cannot be used: ${what}`, {
    ...(reason instanceof Error ? { cause: reason } : {}),
    detail: { path },
    advice: "Copy or download the model again, or name another one",
  });
}

/** How BERT's tokenizer splits texts. */
export interface WordPieceRules {
  readonly vocabulary: Readonly<Record<string, number>>;
  readonly unknownToken: string;
  /** Before a piece that continues a word, `##`. */
  readonly continuingPrefix: string;
  readonly maxWordCharacters: number;
  readonly lowerCase: boolean;
}

/**
 * Reads the file.
 *
 * @throws {WeirError} `configuration` if it is not one.
 */
export function readTokenizerFile(text: string, path: string): TokenizerFile {
  const parsed = tokenizerSchema.safeParse(jsonOf(text));
  if (parsed.success) {
    requireKnownModel(parsed.data.model, path);
    return parsed.data;
  }
  throw new WeirError("configuration", "Cannot read a model's tokenizer: the file does not describe one", {
    detail: { path },
    advice: "Copy or download the model again",
  });
}

/** The rules, where the file describes BERT's tokenizer: normaliser, splitting into words and word pieces all of BERT. */
export function wordPieceRules(file: TokenizerFile): WordPieceRules | undefined {
  const normalizer = bertNormalizerSchema.safeParse(file.normalizer);
  const model = wordPieceSchema.safeParse(file.model);
  if (file.normalizer?.type !== "BertNormalizer" || !normalizer.success) return undefined;
  if (file.pre_tokenizer?.type !== "BertPreTokenizer") return undefined;
  if (file.model.type !== "WordPiece" || !model.success) return undefined;
  return {
    vocabulary: model.data.vocab,
    unknownToken: model.data.unk_token,
    continuingPrefix: model.data.continuing_subword_prefix,
    maxWordCharacters: model.data.max_input_chars_per_word,
    lowerCase: normalizer.data.lowercase,
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
