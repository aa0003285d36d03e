/** From the name a user gives to an embedder that works. */
import type { Embedder } from "./embedder.ts";
import { WorkerPool } from "./worker_pool.ts";

/** Options of {@linkcode createEmbedder}. */
export interface EmbedderOptions {
  /** Floats per vector, where the model lets one choose. Default: the model's own (128 for `hash`). */
  readonly dimensions?: number;
  /** Worker threads. Default 1: on two cores DuckDB needs the other. */
  readonly workers?: number;
}

/**
 * Starts the model of a name. The only name so far is `hash`.
 *
 * @throws {WeirError} `configuration` for an unknown name or a size the model does not have.
 *
 * @example
 * ```ts
 * import { createEmbedder } from "./create_embedder.ts";
 * import { textBatch } from "./embedder.ts";
 * import assert from "node:assert/strict";
 *
 * const embedder = createEmbedder("hash");
 * const { vectors } = await embedder.embed(textBatch(["First name: Ann"]));
 * await embedder.close();
 * assert.equal(vectors.length, 128);
 * ```
 */
export function createEmbedder(name: string, options: EmbedderOptions = {}): Embedder {
  const { dimensions, workers = 1 } = options;
  return new WorkerPool(dimensions === undefined ? { name } : { name, dimensions }, workers);
}
