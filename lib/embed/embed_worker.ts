/** The worker's side of the pool: loads one model, then answers batches one after another in the order they come. */
import { type ErrorDetail, type ErrorKind, WeirError } from "../errors.ts";
import type { EmbeddingFailure, EmbeddingModel, TextBatch } from "./embedder.ts";
import type { ModelSource } from "./model_source.ts";
import { loadModel, type TextModel } from "./text_model.ts";

/** First message: which model to load. Every later one: a batch. */
export type WorkerRequest =
  | { readonly kind: "load"; readonly source: ModelSource }
  | { readonly kind: "embed"; readonly batch: number; readonly texts: TextBatch };

/** An error on its way to the other side, where only plain data arrives. */
export interface WorkerFailure {
  readonly errorKind: ErrorKind;
  readonly message: string;
  readonly advice?: string;
  readonly detail?: ErrorDetail;
}

/** The answer to loading, and to each batch. The vectors' buffer is handed over, not copied. */
export type WorkerReply =
  | { readonly kind: "loaded"; readonly model: EmbeddingModel }
  | { readonly kind: "refused"; readonly failure: WorkerFailure }
  | {
    readonly kind: "embedded";
    readonly batch: number;
    readonly vectors: Float32Array<ArrayBuffer>;
    readonly failures: readonly EmbeddingFailure[];
    readonly truncated: number;
  }
  | { readonly kind: "failed"; readonly batch: number; readonly failure: WorkerFailure };

interface WorkerScope {
  onmessage: ((event: MessageEvent<WorkerRequest>) => void) | null;
  postMessage(reply: WorkerReply, transfer: Transferable[]): void;
}

const scope = globalThis as unknown as WorkerScope;
let model: TextModel | undefined;
let previous: Promise<void> = Promise.resolve();

scope.onmessage = ({ data }) => {
  previous = previous.then(() => data.kind === "load" ? load(data.source) : answer(data.batch, data.texts));
};

async function load(source: ModelSource): Promise<void> {
  try {
    model = await loadModel(source);
    scope.postMessage({ kind: "loaded", model: model.model }, []);
  } catch (thrown) {
    scope.postMessage({ kind: "refused", failure: failureOf(thrown) }, []);
  }
}

async function answer(batch: number, texts: TextBatch): Promise<void> {
  try {
    if (model === undefined) throw new TypeError("Cannot embed before a model is loaded");
    const vectors = new Float32Array((texts.offsets.length - 1) * model.model.dimensions);
    const counts = { truncated: 0 };
    const failures = await model.embedInto(texts, vectors, counts);
    scope.postMessage({ kind: "embedded", batch, vectors, failures, ...counts }, [vectors.buffer]);
  } catch (thrown) {
    scope.postMessage({ kind: "failed", batch, failure: failureOf(thrown) }, []);
  }
}

function failureOf(thrown: unknown): WorkerFailure {
  if (thrown instanceof WeirError) {
    return { errorKind: thrown.kind, message: thrown.message, advice: thrown.advice, detail: thrown.detail };
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return { errorKind: "internal", message: `The embedding model failed: ${message}` };
}
