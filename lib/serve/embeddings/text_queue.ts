/**
 * Texts of many requests on their way through one model.
 *
 * Promise: while the model is idle a text goes to it at once; while it works, what comes is collected, whoever sent it, and goes
 * together. So many texts wait at most; further ones are refused rather than kept waiting. A request's texts are answered in their
 * order, and those of a client that has gone are left out.
 */
import { type Embedder, textBatch } from "../../embed/embedder.ts";
import { ApiError, overloaded } from "./api_error.ts";

/** Bounds of a queue. */
export interface QueueLimits {
  /** Texts that may wait. Default 8,192. */
  readonly waitingTexts?: number;
  /** Texts that go to the model together. Default 256. */
  readonly textsPerBatch?: number;
}

/** A text on its way. */
interface WaitingText {
  readonly text: string;
  readonly signal: AbortSignal;
  readonly answer: PromiseWithResolvers<Float32Array>;
}

/** Why one text of a request has no vector. */
export class TextFailure extends Error {
  override readonly name = "TextFailure";
}

/** A queue before one model. */
export class TextQueue {
  readonly #embedder: Embedder;
  readonly #limits: Required<QueueLimits>;
  readonly #waiting: WaitingText[] = [];
  #batches = 0;

  constructor(embedder: Embedder, { waitingTexts = 8192, textsPerBatch = 256 }: QueueLimits = {}) {
    this.#embedder = embedder;
    this.#limits = { waitingTexts, textsPerBatch };
  }

  /**
   * The vectors of a request's texts, in their order.
   *
   * Throws {@linkcode ApiError} with status 503 where too many texts wait, and 400 naming the first text that cannot be embedded.
   */
  async embed(texts: readonly string[], signal: AbortSignal): Promise<readonly Float32Array[]> {
    this.requireRoom(texts.length);
    const waiting = texts.map((text) => ({ text, signal, answer: Promise.withResolvers<Float32Array>() }));
    this.#waiting.push(...waiting);
    this.#start();
    const settled = await Promise.allSettled(waiting.map(({ answer }) => answer.promise));
    return settled.map((result, index) => {
      if (result.status === "fulfilled") return result.value;
      if (!(result.reason instanceof TextFailure)) throw result.reason;
      const param = `input[${index}]`;
      throw new ApiError({ status: 400, message: `${param} cannot be embedded: ${result.reason.message}`, param });
    });
  }

  /** Throws {@linkcode ApiError} with status 503 where so many more texts would be too many. One request alone may be larger. */
  requireRoom(texts = 1): void {
    const waiting = this.#waiting.length;
    if (waiting === 0 || waiting + texts <= this.#limits.waitingTexts) return;
    throw overloaded("Too many texts wait already");
  }

  #start(): void {
    while (this.#waiting.length > 0 && this.#batches < this.#embedder.maxBatchesInFlight) {
      const batch = this.#waiting.splice(0, this.#limits.textsPerBatch);
      this.#batches++;
      this.#run(batch).finally(() => {
        this.#batches--;
        this.#start();
      });
    }
  }

  async #run(batch: readonly WaitingText[]): Promise<void> {
    const present = batch.filter(({ signal }) => !signal.aborted);
    for (const { answer, signal } of batch) if (signal.aborted) answer.reject(signal.reason);
    if (present.length === 0) return;
    try {
      const { dimensions } = this.#embedder.model;
      const { vectors, failures } = await this.#embedder.embed(textBatch(present.map(({ text }) => text)));
      const reasons = new Map(failures.map(({ text, reason }) => [text, reason]));
      for (const [index, { answer }] of present.entries()) {
        const reason = reasons.get(index);
        if (reason === undefined) answer.resolve(vectors.subarray(index * dimensions, (index + 1) * dimensions));
        else answer.reject(new TextFailure(reason));
      }
    } catch (thrown) {
      for (const { answer } of present) answer.reject(thrown);
    }
  }
}
