/** From the name a user gives to what a worker needs to load the model. */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { storageError, WeirError } from "../errors.ts";
import { fetchModel, type HubOptions } from "./hub/hub_model.ts";
import { type HubName, hubName } from "./hub/model_listing.ts";
import type { ModelFolder } from "./model_files.ts";
import { findStatic, type StaticSource } from "./static/static_source.ts";
import { findTransformer, type TransformerOptions, type TransformerSource } from "./transformer/transformer_source.ts";

/** The model without files. */
export interface HashSource {
  readonly kind: "hash";
  /** Floats per vector, of a model that comes in several sizes. */
  readonly dimensions?: number;
}

/** Which model, and where it is. Plain data: it is sent to the workers. */
export type ModelSource = HashSource | StaticSource | TransformerSource;

/** What may be said of a model beside its name; what a model has no use for is left alone. */
export interface ModelOptions extends TransformerOptions {
  readonly hub?: HubOptions;
}

/** What a name names, before anything is looked for. */
export type NamedModel =
  | HashSource
  | { readonly kind: "folder"; readonly path: string }
  | { readonly kind: "hub"; readonly name: HubName };

/** The model that comes with this program, at the name `weir`. */
const shippedModel: URL = new URL("../../data/models/weir", import.meta.url);

/** The checksum of its files, as it was shipped. */
export const shippedRevision = "d00817f77a5b";

/**
 * Reads a name: `weir`, the model that comes with this program; `hash`, with its vector size `hash:256`; a folder (`./model`,
 * `models/mine`, `/models/model`); `organisation/name[@revision]` of the model hub. What could be either is the folder if there is
 * one.
 *
 * @throws {WeirError} `configuration` for a name of no such form.
 */
export function namedModel(model: string): NamedModel {
  if (model === "weir") return { kind: "folder", path: fileURLToPath(shippedModel) };
  if (model === "hash") return { kind: "hash" };
  if (model.startsWith("hash:")) return { kind: "hash", dimensions: Number(model.slice("hash:".length)) };
  if (/^\.{0,2}\//.test(model)) return { kind: "folder", path: resolve(model) };
  const name = hubName(model);
  if (name !== undefined && !isFolder(model)) return { kind: "hub", name };
  if (name !== undefined || /^[^:@]+\//.test(model)) return { kind: "folder", path: resolve(model) };
  throw new WeirError("configuration", `Cannot find an embedding model named "${model}"`, {
    advice: "Give weir, hash, a folder such as ./model, or organisation/name of the model hub",
  });
}

/** False for one that may not be looked at: then a name of the hub's form is one of the hub. */
function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

/**
 * Finds the model of a name as {@linkcode namedModel} reads it; one of the hub is downloaded where it is not there yet.
 *
 * @throws {WeirError} `configuration` for an unknown name or files that cannot be used, and what a download throws.
 */
export async function findModel(model: string, options: ModelOptions = {}): Promise<ModelSource> {
  const named = namedModel(model);
  switch (named.kind) {
    case "hash":
      return named;
    case "folder":
      await requireFolder(named.path);
      return await findFolder(named, options);
    case "hub":
      return await findFolder(await fetchModel(named.name, options.dtype ?? "fp32", options.hub ?? {}), options);
  }
}

/** Without this a missing folder would be told as one of the files that it lacks. */
async function requireFolder(path: string): Promise<void> {
  const found = await Deno.stat(path).catch((thrown) => {
    if (thrown instanceof Deno.errors.NotFound || thrown instanceof Deno.errors.NotADirectory) return undefined;
    throw storageError(thrown, path);
  });
  if (found?.isDirectory) return;
  throw new WeirError("configuration", "There is no such folder with an embedding model", {
    detail: { path },
    advice: "Give the folder that holds the model's config.json; of the model hub organisation/name",
  });
}

/** A folder holds a static model, and says so, or a transformer. */
async function findFolder(folder: ModelFolder, options: ModelOptions): Promise<ModelSource> {
  return await findStatic(folder) ?? await findTransformer(folder, options);
}
