/** The body of a request for vectors, read and checked. */
import { Buffer } from "node:buffer";
import { ApiError } from "./api_error.ts";

/** A request that can be answered. */
export interface EmbeddingRequest {
  readonly texts: readonly string[];
  /** How vectors are written: as numbers, or as the base64 of their bytes (32-bit floats, little-endian). */
  readonly encoding: "float" | "base64";
}

/** The model that answers. */
export interface ServedModel {
  /** Every name that a request may call it by; the first is shown. */
  readonly names: readonly [string, ...string[]];
  readonly dimensions: number;
}

/** Most texts of one request, as OpenAI has it. */
export const mostTexts = 2048;
/** Largest text: a static model reads texts to their end, and one of 16 MiB kept everybody else waiting for 11 s. */
export const mostTextBytes = 2 ** 18;

/** Reads a body. Throws {@linkcode ApiError} naming the field that is wrong. */
export function readEmbeddingRequest(body: string, model: ServedModel): EmbeddingRequest {
  const request = jsonObject(body);
  checkModel(request.model, model);
  const dimensions = request.dimensions ?? model.dimensions;
  const encoding = request.encoding_format ?? "float";
  if (dimensions !== model.dimensions) {
    throw refused("dimensions", `${model.names[0]} gives vectors of ${model.dimensions} dimensions, and no others`);
  }
  if (encoding !== "float" && encoding !== "base64") throw refused("encoding_format", "is neither float nor base64");
  return { texts: textsOf(request.input), encoding };
}

function jsonObject(body: string): Readonly<Record<string, unknown>> {
  try {
    const read: unknown = JSON.parse(body);
    if (typeof read === "object" && read !== null && !Array.isArray(read)) return read as Record<string, unknown>;
  } catch {
    // Said below: the parser's own message holds part of the text.
  }
  throw new ApiError({ status: 400, message: "The body is not a JSON object" });
}

function checkModel(named: unknown, { names }: ServedModel): void {
  if (typeof named !== "string") throw refused("model", `is missing: this server has ${names[0]}`);
  if (names.includes(named)) return;
  const message = `There is no model ${JSON.stringify(named.slice(0, 100))} here: this server has ${names[0]}`;
  throw new ApiError({ status: 404, message, param: "model", code: "model_not_found" });
}

function textsOf(input: unknown): readonly string[] {
  const texts = typeof input === "string" ? [input] : input;
  if (!Array.isArray(texts)) throw refused("input", "is neither a text nor a list of texts");
  if (texts.length === 0) throw refused("input", "is an empty list");
  if (texts.length > mostTexts) throw refused("input", `has ${texts.length} texts; at most ${mostTexts} are allowed`);
  const wrong = texts.findIndex((text) => typeof text !== "string");
  if (wrong === -1) return withoutTooLong(texts as string[], typeof input === "string");
  if (typeof texts[wrong] === "number" || Array.isArray(texts[wrong])) {
    const remedy = "send texts (LangChain: check_embedding_ctx_length=False)";
    throw refused("input", `holds token ids, which mean something to one tokenizer alone: ${remedy}`);
  }
  throw refused(`input[${wrong}]`, "is not a text");
}

function withoutTooLong(texts: readonly string[], isAlone: boolean): readonly string[] {
  const long = texts.findIndex((text) => Buffer.byteLength(text) > mostTextBytes);
  if (long === -1) return texts;
  const bytes = Buffer.byteLength(texts[long]!);
  const what = `is a text of ${bytes} bytes; at most ${mostTextBytes} are allowed: send it in pieces`;
  throw refused(isAlone ? "input" : `input[${long}]`, what);
}

function refused(param: string, what: string): ApiError {
  const message = /^(is|has|holds) /.test(what) ? `${param} ${what}` : what;
  return new ApiError({ status: 400, message, param });
}
