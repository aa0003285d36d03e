/** From the name a user gives to what a worker needs to load the model. */
import { resolve } from "node:path";
import { WeirError } from "../errors.ts";
import { findStatic, type StaticSource } from "./static/static_source.ts";

/** The model without files. */
export interface HashSource {
  readonly kind: "hash";
  /** Floats per vector, of a model that comes in several sizes. */
  readonly dimensions?: number;
}

/** Which model, and where it is. Plain data: it is sent to the workers. */
export type ModelSource = HashSource | StaticSource;

/**
 * Finds the model of a name: `hash`, with its vector size `hash:256`, or a folder (`./model`, `/models/model`).
 *
 * @throws {WeirError} `configuration` for an unknown name.
 */
export async function findModel(model: string): Promise<ModelSource> {
  if (/^\.{0,2}\//.test(model)) return await findFolder(resolve(model));
  const [name, size] = model.split(":");
  if (name === "hash") return size === undefined ? { kind: name } : { kind: name, dimensions: Number(size) };
  throw new WeirError("configuration", `Cannot find an embedding model named "${name}"`, {
    advice: "Give hash, or a folder such as ./model",
  });
}

async function findFolder(path: string): Promise<ModelSource> {
  const found = await findStatic({ path });
  if (found !== undefined) return found;
  throw new WeirError("configuration", "There is no embedding model in a folder", {
    detail: { path },
    advice: "Name a folder whose config.json says model_type model2vec",
  });
}
