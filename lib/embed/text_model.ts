/** What a model is inside a worker, and the list of models by the name a user gives. */
import { WeirError } from "../errors.ts";
import type { EmbeddingFailure, EmbeddingModel, TextBatch } from "./embedder.ts";
import { createHashModel, describeHashModel } from "./hash_model.ts";

/** A model that writes vectors into memory it is given. Runs inside a worker. */
export interface TextModel {
  readonly model: EmbeddingModel;
  /** Fills `texts × dimensions` floats; vectors of the failures named are left as they are. */
  embedInto(
    texts: TextBatch,
    vectors: Float32Array,
  ): readonly EmbeddingFailure[] | Promise<readonly EmbeddingFailure[]>;
}

/** Which model, in which size. */
export interface ModelChoice {
  readonly name: string;
  readonly dimensions?: number;
}

interface ModelFamily {
  describe(dimensions?: number): EmbeddingModel;
  load(dimensions?: number): TextModel | Promise<TextModel>;
}

const families: ReadonlyMap<string, ModelFamily> = new Map([
  ["hash", { describe: describeHashModel, load: createHashModel }],
]);

/** What a model is, without loading it. @throws {WeirError} `configuration` for an unknown name or size. */
export function describeModel(choice: ModelChoice): EmbeddingModel {
  return family(choice).describe(choice.dimensions);
}

/** Loads a model. @throws {WeirError} `configuration` for an unknown name or size. */
export async function loadModel(choice: ModelChoice): Promise<TextModel> {
  return await family(choice).load(choice.dimensions);
}

function family(choice: ModelChoice): ModelFamily {
  const found = families.get(choice.name);
  if (found === undefined) {
    throw new WeirError(
      "configuration",
      `Cannot find an embedding model named "${choice.name}": known names are ${[...families.keys()].join(", ")}`,
    );
  }
  return found;
}
