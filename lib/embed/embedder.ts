/**
 * The embedding contract: texts in, one vector per text out.
 *
 * Promise: the same text gives the same vector for one model id, revision and size, however texts are batched: to the bit where the
 * model is static or `hash`, to 1e-5 in each number where it is a transformer. A text that cannot be embedded is named as a failure
 * and its vector is never to be used (all zeros would be near everything).
 */

/** What a vector belongs to. Two vectors may be compared only if all of this is equal. */
export interface EmbeddingModel {
  /** Name of the model, e.g. `weir-hash-nonsemantic`. */
  readonly id: string;
  /** Changes whenever the same text would get another vector. */
  readonly revision: string;
  /** Floats per vector. */
  readonly dimensions: number;
  /** False for a model whose nearness says nothing about meaning. */
  readonly semantic: boolean;
}

/** Texts as one buffer of UTF-8 bytes, so that no string is made of them on the way to a worker. */
export interface TextBatch {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Byte offset of each text's start, and the end of the last: one more than there are texts. */
  readonly offsets: Uint32Array<ArrayBuffer>;
}

/** A text without a vector. */
export interface EmbeddingFailure {
  /** Index of the text in its batch. */
  readonly text: number;
  /** For the dead letter; holds nothing of the text. */
  readonly reason: string;
}

/** Vectors of one batch, in the order of the texts. */
export interface VectorBatch {
  /** `texts × dimensions` floats, each vector of length 1 (L2). */
  readonly vectors: Float32Array<ArrayBuffer>;
  readonly failures: readonly EmbeddingFailure[];
}

/** An embedding model at work. */
export interface Embedder {
  readonly model: EmbeddingModel;
  /** How many batches may be under way at once; a further `embed` waits for its turn. */
  readonly maxBatchesInFlight: number;
  /** Texts so far that were longer than the model reads: only their beginning counts. Absent: none. */
  readonly truncated?: number;
  /** The same without looking for vectors that were kept, so that it shows how fast the model is. Absent: this one keeps none. */
  readonly anew?: Embedder;
  /** Embeds a batch and takes over its buffers: they may be empty afterwards. */
  embed(texts: TextBatch): Promise<VectorBatch>;
  /** Stops the workers. Batches under way are rejected. */
  close(): Promise<void>;
}

/** The model as it stands beside a vector: `id@revision`. */
export function modelVersion(model: EmbeddingModel): string {
  return `${model.id}@${model.revision}`;
}

/**
 * A batch of a few texts.
 *
 * @example
 * ```ts
 * import { textBatch } from "./embedder.ts";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual([...textBatch(["ab", "", "é"]).offsets], [0, 2, 2, 4]);
 * ```
 */
export function textBatch(texts: readonly string[]): TextBatch {
  const encoded = texts.map((text) => new TextEncoder().encode(text));
  const offsets = new Uint32Array(texts.length + 1);
  encoded.forEach((bytes, index) => offsets[index + 1] = offsets[index]! + bytes.length);
  const bytes = new Uint8Array(offsets[texts.length]!);
  encoded.forEach((text, index) => bytes.set(text, offsets[index]!));
  return { bytes, offsets };
}
