/** The files of a model in a folder, and the revision that follows from them. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { storageError } from "../errors.ts";

/** A model's folder, and its name and revision where they are known from elsewhere. */
export interface ModelFolder {
  readonly path: string;
  /** Default: the folder's name. */
  readonly id?: string;
  /** What pins the files. Default: a checksum over those that make the vectors. */
  readonly revision?: string;
}

/** Digits of a revision that are kept: the chance that two models share them is one in 2^48. */
export const revisionDigits = 12;

/** SHA-256 over names, sizes and bytes, as hex digits. Throws `storage` where a file cannot be read. */
export async function filesChecksum(folder: string, names: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const name of names) {
    const path = join(folder, name);
    try {
      using file = await Deno.open(path);
      hash.update(`${name}\0${(await file.stat()).size}\0`);
      const chunk = new Uint8Array(2 ** 20);
      for (let read = await file.read(chunk); read !== null; read = await file.read(chunk)) {
        hash.update(chunk.subarray(0, read));
      }
    } catch (thrown) {
      throw storageError(thrown, path);
    }
  }
  return hash.digest("hex");
}
