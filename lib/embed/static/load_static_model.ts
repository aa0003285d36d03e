/** Loads a model in the layout of model2vec: `config.json`, `tokenizer.json` and `model.safetensors` in one folder. */
import { join } from "node:path";
import { z } from "zod";
import { WeirError } from "../../errors.ts";
import { readSafetensors, type Tensor, tensorReader } from "./safetensors.ts";
import { createStaticModel, type StaticModel } from "./static_model.ts";
import type { StaticSource } from "./static_source.ts";
import { TextTokenizer } from "./text_tokenizer.ts";
import { readTokenizerFile, unusableTokenizer } from "./tokenizer_file.ts";

/** Stands for "without end": no text has as many tokens. */
const endless = 2 ** 30;

/** As model2vec reads it: `null` reads texts to their end. Vectors have length 1 whatever `normalize` says. */
const configSchema = z.looseObject({ max_length: z.int().positive().nullable().default(512) });

/**
 * Loads the model.
 *
 * @throws {WeirError} `configuration` if a file is absent, damaged, or does not fit the others.
 */
export async function loadStaticModel({ folder, id, revision }: Omit<StaticSource, "kind">): Promise<StaticModel> {
  const weightsPath = join(folder, "model.safetensors");
  const tokenizerPath = join(folder, "tokenizer.json");
  const { max_length: maxLength } = await readConfig(join(folder, "config.json"));
  const table = readTable(readSafetensors(await readFile(weightsPath), weightsPath), weightsPath);
  const file = readTokenizerFile(new TextDecoder().decode(await readFile(tokenizerPath)), tokenizerPath);
  const tokenizer = await TextTokenizer.open(file).catch((thrown) => {
    throw unusableTokenizer(thrown, tokenizerPath);
  });
  if (tokenizer.rows > table.rows) {
    throw new WeirError("configuration", `The tokenizer has ${tokenizer.rows} tokens and the model ${table.rows}`, {
      detail: { path: folder },
      advice: "Copy or download the model again: tokenizer.json and model.safetensors are of different models",
    });
  }
  return createStaticModel({
    ...table,
    tokenizer,
    model: { id, revision, dimensions: table.dimensions, semantic: true },
    maxTokens: maxLength ?? endless,
    maxCharacters: maxLength === null ? endless : maxLength * tokenizer.medianTokenCharacters,
  });
}

interface Table {
  readonly rows: number;
  readonly dimensions: number;
  readonly isOfBytes: boolean;
  readRow(token: number, row: Float32Array | Int8Array): void;
}

/** The table with what else belongs to a token's row: which row it is (`mapping`), and its weight (`weights`). */
function readTable(tensors: ReadonlyMap<string, Tensor>, path: string): Table {
  const refuse = (why: string) =>
    new WeirError("configuration", `Cannot read the model's table: ${why}`, {
      detail: { path },
      advice: "Use a model in the layout of model2vec",
    });
  const embeddings = tensors.get("embeddings");
  const [height, dimensions] = embeddings?.shape ?? [];
  if (embeddings === undefined || !height || !dimensions || embeddings.shape.length !== 2) {
    throw refuse('there is no tensor "embeddings" of rows and columns');
  }
  const [weights, mapping] = ["weights", "mapping"].map((name) => tensors.get(name));
  const rows = mapping?.shape[0] ?? height;
  if (weights !== undefined && weights.shape[0] !== rows) throw refuse("there is not one weight per token");
  const value = tensorReader(embeddings);
  const weightOf = weights === undefined ? () => 1 : tensorReader(weights);
  const rowOf = mapping === undefined ? (token: number) => token : tensorReader(mapping);
  for (let token = 0; token < rows; token++) {
    const row = rowOf(token);
    if (!Number.isInteger(row) || row < 0 || row >= height) throw refuse(`token ${token} has no row`);
  }
  return {
    rows,
    dimensions,
    isOfBytes: embeddings.type === "I8" && weights === undefined,
    readRow(token, row) {
      const first = rowOf(token) * dimensions;
      const weight = weightOf(token);
      for (let column = 0; column < dimensions; column++) row[column] = value(first + column) * weight;
    },
  };
}

async function readConfig(path: string): Promise<z.infer<typeof configSchema>> {
  const text = new TextDecoder().decode(await readFile(path));
  const parsed = configSchema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new WeirError("configuration", "Cannot read a model's settings: max_length is neither null nor a number", {
    detail: { path },
    advice: "Correct the file, or copy or download the model again",
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function readFile(path: string): Promise<Uint8Array> {
  try {
    return await Deno.readFile(path);
  } catch (cause) {
    throw new WeirError("configuration", "Cannot read a file of the embedding model", {
      detail: { path },
      advice: "Name a folder that holds config.json, tokenizer.json and model.safetensors, and that may be read",
      cause,
    });
  }
}
