/** From the name a user gives to what a worker needs to load the model. */
import { WeirError } from "../errors.ts";

/** Which model, and where it is. Plain data: it is sent to the workers. */
export interface ModelSource {
  readonly kind: "hash";
  /** Floats per vector, of a model that comes in several sizes. */
  readonly dimensions?: number;
}

/**
 * Finds the model of a name, with its vector size where it comes in several: `hash`, `hash:256`.
 *
 * @throws {WeirError} `configuration` for an unknown name.
 */
export function findModel(model: string): Promise<ModelSource> {
  const [name, size] = model.split(":");
  if (name !== "hash") {
    const message = `Cannot find an embedding model named "${name}": known names are hash`;
    return Promise.reject(new WeirError("configuration", message));
  }
  return Promise.resolve(size === undefined ? { kind: name } : { kind: name, dimensions: Number(size) });
}
