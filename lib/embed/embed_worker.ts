/** The worker's side of the pool: loads one model, then answers batches one after another in the order they come. */
import type { EmbeddingFailure, TextBatch } from "./embedder.ts";
import { loadModel, type ModelChoice, type TextModel } from "./text_model.ts";

/** First message: which model to load. Every later one: a batch. */
export type WorkerRequest =
  | { readonly kind: "load"; readonly choice: ModelChoice }
  | { readonly kind: "embed"; readonly batch: number; readonly texts: TextBatch };

/** Answers to batches. The vectors' buffer is handed over, not copied. */
export type WorkerReply =
  | {
    readonly kind: "embedded";
    readonly batch: number;
    readonly vectors: Float32Array<ArrayBuffer>;
    readonly failures: readonly EmbeddingFailure[];
  }
  | { readonly kind: "failed"; readonly batch: number; readonly message: string };

interface WorkerScope {
  onmessage: ((event: MessageEvent<WorkerRequest>) => void) | null;
  postMessage(reply: WorkerReply, transfer: Transferable[]): void;
}

const scope = globalThis as unknown as WorkerScope;
let model: Promise<TextModel> | undefined;
let previous: Promise<void> = Promise.resolve();

scope.onmessage = ({ data }) => {
  if (data.kind === "load") model = loadModel(data.choice);
  else previous = previous.then(() => answer(data.batch, data.texts));
};

async function answer(batch: number, texts: TextBatch): Promise<void> {
  try {
    const loaded = await model;
    if (loaded === undefined) throw new TypeError("Cannot embed before a model is loaded");
    const vectors = new Float32Array((texts.offsets.length - 1) * loaded.model.dimensions);
    const failures = await loaded.embedInto(texts, vectors);
    scope.postMessage({ kind: "embedded", batch, vectors, failures }, [vectors.buffer]);
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    scope.postMessage({ kind: "failed", batch, message }, []);
  }
}
