/** From the name a user gives to an embedder that works. */
import { type CacheOptions, withVectorCache } from "./cached_embedder.ts";
import type { Embedder } from "./embedder.ts";
import { findModel, type ModelOptions, type ModelSource } from "./model_source.ts";
import { WorkerPool } from "./worker_pool.ts";

/** Options of {@linkcode createEmbedder}. */
export interface EmbedderOptions extends ModelOptions {
  /**
   * Worker threads. Default 1: on two cores DuckDB needs the other. For a transformer on the CPU one a core, as many as four if their
   * copies of the model stay small: it needs a hundred times what the rest of a job does.
   */
  readonly workers?: number;
  /** Keeps a transformer's vectors for the next time their texts come. Other models are quicker than looking. Default: nothing does. */
  readonly cache?: CacheOptions | undefined;
}

/**
 * Starts the model of a name as {@linkcode findModel} takes it. It is loaded when this resolves. The workers of a transformer share
 * all cores out among them.
 *
 * @throws {WeirError} `configuration` for an unknown name, a size the model does not have, or files that cannot be used.
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
  const source = await findModel(model, options);
  const { workers = workersFor(source) } = options;
  if (source.kind !== "transformer") return await WorkerPool.start(source, workers);
  const threads = Math.max(1, Math.floor(cores / workers));
  const pool = await WorkerPool.start({ ...source, threads }, workers);
  return options.cache === undefined ? pool : withVectorCache(pool, options.cache);
}

const cores = navigator.hardwareConcurrency;
/** Most workers by default, and bytes that their copies of one model may take. */
const most = { workers: 4, bytes: 512 * 2 ** 20 };

/** Workers of one thread each do more than one of as many threads, which wait for one another after every layer. */
function workersFor(source: ModelSource): number {
  if (source.kind !== "transformer" || source.device !== "cpu") return 1;
  return Math.max(1, Math.min(cores, most.workers, Math.floor(most.bytes / source.bytes)));
}
