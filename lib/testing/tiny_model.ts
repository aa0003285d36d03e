/** The smallest sentence model there is: a table of vectors by token, as ONNX, with a tokenizer of a few words. */
import { dirname, join } from "node:path";

/** Words it knows; each has an id in this order after the special tokens. */
export const tinyWords: readonly string[] = ["a", "ann", "pays", "bob", "in", "rome", "##s", "broken"];

const special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"];
const vocabulary = [...special, ...tinyWords];
/** The vector of `broken` is missing from the table: whoever asks for it gets an error of the runtime. */
const rows = vocabulary.length - 1;
export const tinyDimensions = 3;

/** The vector of a token. That of `in` is not finite, and texts of `a` alone are pooled to zeros where only that is pooled. */
export function tinyVector(id: number): readonly number[] {
  if (vocabulary[id] === "in") return [Infinity, 0, 0];
  if (vocabulary[id] === "a") return [0, 0, 0];
  return [id, (id * id) % 7 - 3, 1];
}

/** Ids of words, those that stand around a text included. */
export function tinyIds(...words: readonly string[]): readonly number[] {
  return ["[CLS]", ...words, "[SEP]"].map((word) => vocabulary.indexOf(word));
}

/** Its files, by path. */
export function tinyModelFiles(): Readonly<Record<string, string | Uint8Array<ArrayBuffer>>> {
  const json = (value: unknown) => JSON.stringify(value);
  return {
    "config.json": json({ model_type: "bert", architectures: ["BertModel"], max_position_embeddings: 8 }),
    "modules.json": json([
      { idx: 0, path: "", type: "sentence_transformers.models.Transformer" },
      { idx: 1, path: "1_Pooling", type: "sentence_transformers.models.Pooling" },
    ]),
    "1_Pooling/config.json": json({ pooling_mode_mean_tokens: true }),
    "tokenizer_config.json": json({ tokenizer_class: "BertTokenizer", model_max_length: 6 }),
    "tokenizer.json": json(tokenizer()),
    "onnx/model.onnx": onnxTable(),
  };
}

/** Writes its files into a folder. */
export async function writeTinyModel(folder: string): Promise<void> {
  for (const [path, content] of Object.entries(tinyModelFiles())) {
    await Deno.mkdir(join(folder, dirname(path)), { recursive: true });
    await Deno.writeFile(join(folder, path), typeof content === "string" ? new TextEncoder().encode(content) : content);
  }
}

function tokenizer(): unknown {
  const token = (content: string) => ({ SpecialToken: { id: content, type_id: 0 } });
  const ids = (content: string) => ({ id: content, ids: [vocabulary.indexOf(content)], tokens: [content] });
  return {
    version: "1.0",
    added_tokens: special.map((content, id) => ({ id, content, special: true, normalized: false })),
    normalizer: {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: {
      type: "TemplateProcessing",
      single: [token("[CLS]"), { Sequence: { id: "A", type_id: 0 } }, token("[SEP]")],
      pair: [],
      special_tokens: { "[CLS]": ids("[CLS]"), "[SEP]": ids("[SEP]") },
    },
    decoder: { type: "WordPiece", prefix: "##" },
    model: {
      type: "WordPiece",
      unk_token: "[UNK]",
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(vocabulary.map((word, id) => [word, id])),
    },
  };
}

/** The same rounded to 8 bits, in steps that follow the largest number of the batch, as `onnx/model_quantized.onnx` would be. */
export function tinyRoundingModel(): Uint8Array<ArrayBuffer> {
  const rounded = ["rounded", "step", "origin"];
  return onnxTable([
    { operator: "Gather", inputs: ["table", "input_ids"], outputs: ["states"] },
    { operator: "DynamicQuantizeLinear", inputs: ["states"], outputs: rounded },
    { operator: "DequantizeLinear", inputs: rounded, outputs: ["last_hidden_state"] },
  ]);
}

interface OnnxNode {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

const lookUp: readonly OnnxNode[] = [
  { operator: "Gather", inputs: ["table", "input_ids"], outputs: ["last_hidden_state"] },
];

/** A graph over the table, by default `Gather(table, input_ids)`, as an ONNX file: fields by their numbers in onnx.proto. */
function onnxTable(nodes = lookUp): Uint8Array<ArrayBuffer> {
  const table = Float32Array.from(Array.from({ length: rows }, (_, id) => tinyVector(id)).flat());
  const [float, int64] = [1, 7];
  const tensor = [
    field(1, rows),
    field(1, tinyDimensions),
    field(2, float),
    field(8, text("table")),
    field(9, new Uint8Array(table.buffer)),
  ];
  const graph = [
    ...nodes.map(({ operator, inputs, outputs }) =>
      field(
        1,
        concatenated([
          ...inputs.map((name) => field(1, text(name))),
          ...outputs.map((name) => field(2, text(name))),
          field(4, text(operator)),
        ]),
      )
    ),
    field(2, text("tiny")),
    field(5, concatenated(tensor)),
    field(11, valueInfo("input_ids", int64, ["texts", "tokens"])),
    field(12, valueInfo("last_hidden_state", float, ["texts", "tokens", tinyDimensions])),
  ];
  return concatenated([field(1, 8), field(7, concatenated(graph)), field(8, field(2, 17))]);
}

function valueInfo(name: string, type: number, shape: readonly (string | number)[]): Uint8Array<ArrayBuffer> {
  const dimensions = shape.map((size) => field(1, typeof size === "number" ? field(1, size) : field(2, text(size))));
  const tensorType = concatenated([field(1, type), field(2, concatenated(dimensions))]);
  return concatenated([field(1, text(name)), field(2, field(1, tensorType))]);
}

/** One protobuf field: a number as a varint, bytes with their length. */
function field(number: number, value: number | Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (typeof value === "number") return concatenated([varint(number << 3), varint(value)]);
  return concatenated([varint(number << 3 | 2), varint(value.length), value]);
}

function varint(value: number): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  for (let rest = value; bytes.length === 0 || rest > 0; rest >>>= 7) bytes.push(rest > 127 ? rest & 127 | 128 : rest);
  return Uint8Array.from(bytes);
}

function text(value: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(value);
}

function concatenated(parts: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
