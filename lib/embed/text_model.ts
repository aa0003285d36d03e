/** What a model is inside a worker, and how each kind of model is loaded there. */
import type { EmbeddingFailure, EmbeddingModel, TextBatch } from "./embedder.ts";
import { createHashModel } from "./hash_model.ts";
import type { ModelSource } from "./model_source.ts";

/** What a model counts while it embeds. */
export interface TextCounts {
  /** Texts longer than the model reads: only their beginning counts. */
  truncated: number;
}

/** A model that writes vectors into memory it is given. Runs inside a worker. */
export interface TextModel {
  readonly model: EmbeddingModel;
  /** Fills `texts × dimensions` floats; vectors of the failures named mean nothing. Adds to the counts. */
  embedInto(
    texts: TextBatch,
    vectors: Float32Array,
    counts?: TextCounts,
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
    case "transformer":
      return await (await import("./transformer/transformer_model.ts")).loadTransformer(source);
  }
}
