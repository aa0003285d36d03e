/** From the name a user gives to an embedder that works. */
import type { Embedder } from "./embedder.ts";
import { findModel } from "./model_source.ts";
import { WorkerPool } from "./worker_pool.ts";

/** Options of {@linkcode createEmbedder}. */
export interface EmbedderOptions {
  /** Worker threads. Default 1: on two cores DuckDB needs the other. */
  readonly workers?: number;
}

/**
 * Starts the model of a name, with its vector size where it comes in several: `hash`, `hash:256`. It is loaded when this
 * resolves.
 *
 * @throws {WeirError} `configuration` for an unknown name or a size the model does not have.
 *
 * @example
 * ```ts
 * import { createEmbedder } from "./create_embedder.ts";
 * import { textBatch } from "./embedder.ts";
 * import assert from "node:assert/strict";
 *
 * const embedder = await createEmbedder("hash");
 * const { vectors } = await embedder.embed(textBatch(["First name: Ann"]));
 * await embedder.close();
 * assert.equal(vectors.length, 128);
 * ```
 */
export async function createEmbedder(model: string, options: EmbedderOptions = {}): Promise<Embedder> {
  return await WorkerPool.start(await findModel(model), options.workers ?? 1);
}
