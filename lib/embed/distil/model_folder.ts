/** The files of a distilled model, in the layout of Model2Vec, so that other programs read it too. */
import { type Int8Table, safetensorsOf } from "./int8_table.ts";

/** A tokenizer file, of which only what is changed here is named. */
export interface TokenizerDocument {
  readonly [key: string]: unknown;
  readonly added_tokens?: unknown;
}

/**
 * The teacher's tokenizer as a static model reads it: no tokens around a text, none of them found inside one, nothing cut or
 * filled up; phrases behind the vocabulary. Written so that this program, Python's and Rust's tokenizers read it alike.
 *
 * @param vocabularySize The first phrase's id.
 */
export function phraseTokenizer(
  teacher: TokenizerDocument,
  { phrases, vocabularySize }: { readonly phrases: readonly string[]; readonly vocabularySize: number },
): TokenizerDocument {
  const added = phrases.map((content, index) => ({
    id: vocabularySize + index,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: true,
    special: false,
  }));
  return { ...teacher, truncation: null, padding: null, post_processor: null, added_tokens: added };
}

/** What a folder is made of. */
export interface DistilledFiles {
  readonly tokenizer: TokenizerDocument;
  readonly table: Int8Table;
  /** Name of the teacher. */
  readonly teacher: string;
  /** The text of `README.md`. */
  readonly card: string;
}

/** File names and contents. */
export function modelFiles(files: DistilledFiles): ReadonlyMap<string, Uint8Array | string> {
  const config = {
    model_type: "model2vec",
    architectures: ["StaticModel"],
    tokenizer_name: files.teacher,
    hidden_dim: files.table.dimensions,
    embedding_dtype: "int8",
    normalize: true,
    max_length: null,
  };
  return new Map<string, Uint8Array | string>([
    ["config.json", `${JSON.stringify(config, null, 2)}\n`],
    ["tokenizer.json", `${JSON.stringify(files.tokenizer)}\n`],
    ["model.safetensors", safetensorsOf(files.table)],
    ["README.md", files.card],
  ]);
}
