/** A static model in a folder: whether it is one, and the revision that follows from its files. */
import { basename, join } from "node:path";
import { storageError } from "../../errors.ts";
import { filesChecksum, type ModelFolder, revisionDigits } from "../model_files.ts";

/** The files that decide a static model's vectors. */
export const staticModelFiles: readonly string[] = ["config.json", "tokenizer.json", "model.safetensors"];

/** What a worker needs to load a static model. */
export interface StaticSource {
  readonly kind: "static";
  readonly id: string;
  readonly revision: string;
  /** Absolute path. */
  readonly folder: string;
}

/**
 * Looks a folder through. Undefined where its `config.json` is absent or not that of a static model.
 *
 * @throws {WeirError} `storage` or `configuration` where a file cannot be read.
 */
export async function findStatic(folder: ModelFolder): Promise<StaticSource | undefined> {
  const config = await textOf(join(folder.path, "config.json"));
  if (config === undefined || !/"model_type"\s*:\s*"model2vec"/.test(config)) return undefined;
  const revision = (folder.revision ?? await filesChecksum(folder.path, staticModelFiles)).slice(0, revisionDigits);
  return { kind: "static", id: folder.id ?? basename(folder.path), revision, folder: folder.path };
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return undefined;
    throw storageError(thrown, path);
  }
}
