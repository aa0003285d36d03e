/** A static model in a folder: whether it is one, and the revision that follows from its files. */
import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import { storageError } from "../../errors.ts";

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

/** A model's folder, and its name and revision where they are known from elsewhere. */
export interface StaticModelFolder {
  readonly path: string;
  /** Default: the folder's name. */
  readonly id?: string;
  /** What pins the files. Default: a checksum over those that make the vectors. */
  readonly revision?: string;
}

/** Digits of a revision that are kept: the chance that two models share them is one in 2^48. */
const revisionDigits = 12;

/**
 * Looks a folder through. Undefined where its `config.json` is absent or not that of a static model.
 *
 * @throws {WeirError} `storage` or `configuration` where a file cannot be read.
 */
export async function findStatic(folder: StaticModelFolder): Promise<StaticSource | undefined> {
  const config = await textOf(join(folder.path, "config.json"));
  if (config === undefined || !/"model_type"\s*:\s*"model2vec"/.test(config)) return undefined;
  const revision = (folder.revision ?? await checksum(folder.path)).slice(0, revisionDigits);
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

/** SHA-256 over names, sizes and bytes. */
async function checksum(folder: string): Promise<string> {
  const hash = createHash("sha256");
  for (const name of staticModelFiles) {
    const path = join(folder, name);
    try {
      const bytes = await Deno.readFile(path);
      hash.update(`${name}\0${bytes.length}\0`).update(bytes);
    } catch (thrown) {
      throw storageError(thrown, path);
    }
  }
  return hash.digest("hex");
}
