/** What a model is inside a worker, and how each kind of model is loaded there. */
import type { EmbeddingFailure, EmbeddingModel, TextBatch } from "./embedder.ts";
import { createHashModel } from "./hash_model.ts";
import type { ModelSource } from "./model_source.ts";

/** A model that writes vectors into memory it is given. Runs inside a worker. */
export interface TextModel {
  readonly model: EmbeddingModel;
  /** Fills `texts × dimensions` floats; vectors of the failures named are left as they are. */
  embedInto(
    texts: TextBatch,
    vectors: Float32Array,
  ): readonly EmbeddingFailure[] | Promise<readonly EmbeddingFailure[]>;
}

/**
 * Loads a model. What only some need is imported only for them.
 *
 * @throws {WeirError} `configuration` for a size it does not come in, or files that cannot be used.
 */
export async function loadModel(source: ModelSource): Promise<TextModel> {
  switch (source.kind) {
    case "hash":
      return createHashModel(source.dimensions);
    case "static":
      return await (await import("./static/load_static_model.ts")).loadStaticModel(source);
  }
}
