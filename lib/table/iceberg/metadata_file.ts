/**
 * Where versions of a table stand in the file-system layout: `metadata/v<N>.metadata.json`, contiguous from 1, and a hint.
 *
 * Promise: the highest existing N is the table; the hint only saves looking for it.
 */
import { WeirError } from "../../errors.ts";
import type { Storage } from "../../storage/storage.ts";
import { parseMetadata, type TableMetadata } from "./metadata.ts";

/** Path of one version's metadata. */
export function metadataPath(folder: string, version: number): string {
  return `${folder}/metadata/v${version}.metadata.json`;
}

/** Path of the hint: the version as ASCII digits without a newline (readers take the text untrimmed). */
export function hintPath(folder: string): string {
  return `${folder}/metadata/version-hint.text`;
}

/** The newest version, or undefined where the folder holds no table. */
export async function findVersion(storage: Storage, folder: string): Promise<number | undefined> {
  const hint = await storage.read(hintPath(folder));
  const text = hint === undefined ? "" : new TextDecoder().decode(hint);
  const hinted = /^\d+$/.test(text) ? Number(text) : 0;
  let version = hinted > 0 && await exists(storage, folder, hinted) ? hinted : await highestListed(storage, folder);
  if (version === 0) return undefined;
  while (await exists(storage, folder, version + 1)) version++;
  return version;
}

async function exists(storage: Storage, folder: string, version: number): Promise<boolean> {
  return await storage.stat(metadataPath(folder, version)) !== undefined;
}

async function highestListed(storage: Storage, folder: string): Promise<number> {
  let highest = 0;
  for await (const { path } of storage.list(`${folder}/metadata`)) {
    const match = /\/v(\d+)\.metadata\.json$/.exec(path);
    if (match !== null) highest = Math.max(highest, Number(match[1]));
  }
  return highest;
}

/**
 * One version's metadata; undefined where there is no such version.
 *
 * @throws {WeirError} `tableUnreadable` naming the file where it is damaged.
 */
export async function readMetadata(storage: Storage, path: string): Promise<TableMetadata | undefined> {
  const bytes = await storage.read(path);
  return bytes && parseMetadata(new TextDecoder().decode(bytes), path);
}

/** Reads a file that the table says it has, and decodes it. Anything wrong with it is `tableUnreadable` with its name. */
export async function readPart<T>(storage: Storage, uri: string, decode: (bytes: Uint8Array) => T): Promise<T> {
  const path = storage.path(uri);
  const bytes = await storage.read(path);
  if (bytes === undefined) {
    throw new WeirError("tableUnreadable", `Cannot read ${path}: it is missing`, { detail: { path } });
  }
  try {
    return decode(bytes);
  } catch (thrown) {
    throw new WeirError("tableUnreadable", `Cannot read ${path}: it is damaged`, { cause: thrown, detail: { path } });
  }
}
