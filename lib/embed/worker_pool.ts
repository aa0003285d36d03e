/**
 * An embedder whose model runs in workers, so that embedding never blocks the event loop.
 *
 * Promise: at most {@linkcode batchesPerWorker} batches wait at a worker (one at work, one ready); a further call waits.
 */
import { WeirError } from "../errors.ts";
import type { Embedder, EmbeddingModel, TextBatch, VectorBatch } from "./embedder.ts";
import type { WorkerFailure, WorkerReply, WorkerRequest } from "./embed_worker.ts";
import type { ModelSource } from "./model_source.ts";

/** One batch at work and one ready behind it, so that a worker never idles between two. */
export const batchesPerWorker = 2;

interface Pending {
  readonly worker: number;
  resolve(batch: VectorBatch): void;
  reject(error: WeirError): void;
}

/** Workers with one model each. */
export class WorkerPool implements Embedder {
  readonly maxBatchesInFlight: number;
  readonly #workers: Worker[];
  readonly #inFlight: number[];
  readonly #pending = new Map<number, Pending>();
  readonly #waiting: (() => void)[] = [];
  readonly #loaded = Promise.withResolvers<void>();
  #loading: number;
  #model: EmbeddingModel | undefined;
  #batches = 0;
  #truncated = 0;
  #stopped: WeirError | undefined;

  private constructor(workers: readonly Worker[]) {
    this.maxBatchesInFlight = workers.length * batchesPerWorker;
    this.#workers = [...workers];
    this.#inFlight = workers.map(() => 0);
    this.#loading = workers.length;
  }

  /**
   * Starts the workers; the model is loaded in each when this resolves.
   *
   * @param source Which model.
   * @param workers How many, 1 or more.
   * @param script What each worker runs; answers as `embed_worker.ts` does, which is the default.
   * @throws {WeirError} What loading the model throws; `internal` if a worker dies.
   * @throws {RangeError} If there would be no worker.
   */
  static async start(
    source: ModelSource,
    workers: number,
    script: URL = new URL("./embed_worker.ts", import.meta.url),
  ): Promise<WorkerPool> {
    if (!Number.isInteger(workers) || workers < 1) throw new RangeError(`Cannot start ${workers} workers: 1 or more`);
    const started = Array.from({ length: workers }, () => new Worker(script, { type: "module", name: "embed" }));
    const pool = new WorkerPool(started);
    for (const worker of started) pool.#attend(worker, source);
    await pool.#loaded.promise;
    return pool;
  }

  get model(): EmbeddingModel {
    if (this.#model === undefined) throw new TypeError("Cannot say what the model is before it is loaded");
    return this.#model;
  }

  get truncated(): number {
    return this.#truncated;
  }

  async embed(texts: TextBatch): Promise<VectorBatch> {
    while (this.#stopped === undefined && this.#pending.size >= this.maxBatchesInFlight) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    if (this.#stopped !== undefined) throw this.#stopped;
    return await this.#send(texts);
  }

  close(): Promise<void> {
    this.#stop(new WeirError("interrupted", "The embedding workers were stopped"));
    return Promise.resolve();
  }

  #send(texts: TextBatch): Promise<VectorBatch> {
    const worker = this.#inFlight.indexOf(Math.min(...this.#inFlight));
    const batch = this.#batches++;
    const owned = { bytes: ownBuffer(texts.bytes), offsets: ownBuffer(texts.offsets) };
    const request: WorkerRequest = { kind: "embed", batch, texts: owned };
    return new Promise((resolve, reject) => {
      this.#pending.set(batch, { worker, resolve, reject });
      this.#inFlight[worker]!++;
      this.#workers[worker]!.postMessage(request, [owned.bytes.buffer, owned.offsets.buffer]);
    });
  }

  #attend(worker: Worker, source: ModelSource): void {
    worker.onmessage = ({ data }: MessageEvent<WorkerReply>) => this.#receive(data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.#stop(new WeirError("internal", `An embedding worker failed: ${event.message}`));
    };
    const request: WorkerRequest = { kind: "load", source };
    worker.postMessage(request);
  }

  #receive(reply: WorkerReply): void {
    if (reply.kind === "refused") return this.#stop(errorOf(reply.failure));
    if (reply.kind === "loaded") {
      this.#model ??= reply.model;
      this.#loading -= 1;
      if (this.#loading === 0) this.#loaded.resolve();
      return;
    }
    const pending = this.#pending.get(reply.batch);
    if (pending === undefined) return;
    this.#pending.delete(reply.batch);
    this.#inFlight[pending.worker]!--;
    if (reply.kind === "embedded") {
      this.#truncated += reply.truncated;
      pending.resolve({ vectors: reply.vectors, failures: reply.failures });
    } else pending.reject(errorOf(reply.failure));
    this.#waiting.shift()?.();
  }

  #stop(error: WeirError): void {
    this.#stopped ??= error;
    this.#loaded.reject(error);
    for (const worker of this.#workers) worker.terminate();
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

function errorOf({ errorKind, message, ...options }: WorkerFailure): WeirError {
  return new WeirError(errorKind, message, options);
}

/** The array over a buffer of its own, which alone can be handed over. */
function ownBuffer<T extends Uint8Array<ArrayBuffer> | Uint32Array<ArrayBuffer>>(array: T): T {
  return array.byteLength === array.buffer.byteLength ? array : array.slice() as T;
}
