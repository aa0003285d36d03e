/**
 * Vectors over HTTP, as clients of OpenAI's API ask for them: `POST /v1/embeddings`, `GET /v1/models`, `GET /health`.
 *
 * Promise: a request is answered whole or refused with what is wrong; texts are never logged and stand in no message.
 */
import { Buffer } from "node:buffer";
import { createHash, timingSafeEqual } from "node:crypto";
import { type Embedder, modelVersion } from "../../embed/embedder.ts";
import { WeirError } from "../../errors.ts";
import { ApiError, type ApiProblem, overloaded, problemResponse } from "./api_error.ts";
import { readEmbeddingRequest, type ServedModel } from "./embedding_request.ts";
import { type QueueLimits, TextQueue } from "./text_queue.ts";

/** What a service works with. */
export interface EmbeddingServiceOptions extends QueueLimits {
  readonly embedder: Embedder;
  /** What users call the model, e.g. `hash:256`. It is known by its own id too. */
  readonly modelName: string;
  /** What clients must send as `Authorization: Bearer …`. Default: nobody is asked. */
  readonly token?: string | undefined;
  /** Largest body. Default 16 MiB. */
  readonly bodyBytes?: number;
  /** Bodies of requests that are not answered yet take at most so many bytes together. Default 64 MiB; one alone may be larger. */
  readonly pendingBytes?: number;
}

/** What was done so far. */
export interface ServiceCounts {
  readonly requests: number;
  readonly refused: number;
  readonly texts: number;
}

/** Names of this machine: a page of the Web that has its own name lead here is not asked by somebody at this machine. */
const loopbackNames: ReadonlySet<string> = new Set(["127.0.0.1", "localhost", "[::1]"]);
/** Bytes per token, about: what `usage` says is an estimate, for nobody pays by it. */
const bytesPerToken = 4;

/** Answers requests. */
export class EmbeddingService {
  readonly #options: EmbeddingServiceOptions;
  readonly #queue: TextQueue;
  readonly #model: ServedModel;
  readonly #tokenDigest: Uint8Array | undefined;
  /** Of the bodies of requests that are not answered yet. */
  #pendingBytes = 0;
  #counts = { requests: 0, refused: 0, texts: 0 };

  constructor(options: EmbeddingServiceOptions) {
    const { embedder: { model }, modelName, token } = options;
    if (token?.trim() === "") throw new RangeError("Cannot ask for a blank token: everybody would have it");
    this.#options = options;
    this.#queue = new TextQueue(options.embedder, options);
    this.#model = { names: [modelName, model.id, modelVersion(model)], dimensions: model.dimensions };
    this.#tokenDigest = token === undefined ? undefined : digest(token);
  }

  get counts(): ServiceCounts {
    return this.#counts;
  }

  /** Answers one request; never throws. Texts whose client has gone are left out: `request.signal` says so. */
  async handle(request: Request): Promise<Response> {
    this.#counts.requests++;
    try {
      return await this.#answer(request);
    } catch (thrown) {
      this.#counts.refused++;
      return problemResponse(problemOf(thrown));
    }
  }

  async #answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    if (url.pathname === "/health") return Response.json({ status: "ok" });
    this.#authorize(request, url);
    const models = /^\/v1\/models(?:\/(.+))?$/.exec(url.pathname);
    if (models !== null) return this.#models(request, models[1]);
    if (url.pathname !== "/v1/embeddings") {
      throw new ApiError({ status: 404, message: "There are POST /v1/embeddings, GET /v1/models and GET /health" });
    }
    requireMethod(request, "POST");
    return await this.#embeddings(request);
  }

  async #embeddings(request: Request): Promise<Response> {
    if (!/^application\/json\b/i.test(request.headers.get("content-type") ?? "")) {
      throw new ApiError({ status: 415, message: "The body must be application/json" });
    }
    // Before anything is read, too: what cannot be answered is not to take up memory.
    this.#queue.requireRoom();
    let held = 0;
    const hold = (bytes: number) => {
      held += bytes;
      this.#hold(held, bytes);
    };
    try {
      return await this.#vectors(request, hold);
    } finally {
      this.#pendingBytes -= held;
    }
  }

  /** Counts bytes of a body of which so many have come by now. */
  #hold(held: number, bytes: number): void {
    const { bodyBytes = 16 * 2 ** 20, pendingBytes = 64 * 2 ** 20 } = this.#options;
    this.#pendingBytes += bytes;
    if (held > bodyBytes) throw new ApiError({ status: 413, message: `The body is larger than ${bodyBytes} bytes` });
    if (this.#pendingBytes === held || this.#pendingBytes <= pendingBytes) return;
    throw overloaded("Too many bytes of requests are under way already");
  }

  async #vectors(request: Request, hold: (bytes: number) => void): Promise<Response> {
    const { texts, encoding } = readEmbeddingRequest(await bodyText(request, hold), this.#model);
    const vectors = await this.#queue.embed(texts, request.signal);
    this.#counts.texts += texts.length;
    const tokens = texts.reduce((sum, text) => sum + Math.ceil(Buffer.byteLength(text) / bytesPerToken), 0);
    return Response.json({
      object: "list",
      data: vectors.map((vector, index) => ({ object: "embedding", index, embedding: written(vector, encoding) })),
      model: this.#model.names[0],
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    });
  }

  #models(request: Request, wanted: string | undefined): Response {
    requireMethod(request, "GET");
    const { names: [id, ...otherNames], dimensions } = this.#model;
    const model = { id, object: "model", created: 0, owned_by: "weir", dimensions };
    if (wanted === undefined) return Response.json({ object: "list", data: [model] });
    const isNamed = (name: string) => name === wanted || encodeURIComponent(name) === wanted;
    if ([id, ...otherNames].some(isNamed)) return Response.json(model);
    throw new ApiError({
      status: 404,
      message: `There is no such model here: this server has ${id}`,
      code: "model_not_found",
    });
  }

  #authorize(request: Request, { hostname }: URL): void {
    const expected = this.#tokenDigest;
    if (expected === undefined) {
      if (loopbackNames.has(hostname)) return;
      throw new ApiError({
        status: 403,
        message: "Without a token this server answers to 127.0.0.1 and localhost alone",
      });
    }
    const [, given = ""] = /^Bearer (.+)$/.exec(request.headers.get("authorization") ?? "") ?? [];
    if (timingSafeEqual(digest(given), expected)) return;
    throw new ApiError({ status: 401, message: "The token is missing or wrong", code: "invalid_api_key" });
  }
}

/** Of equal length whatever is given, so that comparing tells nothing. */
function digest(token: string): Uint8Array {
  return createHash("sha256").update(token).digest();
}

function requireMethod({ method }: Request, wanted: string): void {
  if (method !== wanted) throw new ApiError({ status: 405, message: `Ask with ${wanted}` });
}

async function bodyText(request: Request, hold: (bytes: number) => void): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of request.body ?? []) {
    hold(part.length);
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

function written(vector: Float32Array, encoding: "float" | "base64"): readonly number[] | string {
  if (encoding === "float") return Array.from(vector);
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString("base64");
}

/** What is not our refusal may hold anything; of it only our own errors are told. */
function problemOf(thrown: unknown): ApiProblem {
  if (thrown instanceof ApiError) return thrown.problem;
  if (thrown instanceof WeirError) return { status: 503, message: thrown.message };
  return { status: 500, message: "The request failed" };
}
