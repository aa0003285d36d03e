/** Storage in memory: the same promise as on disk, gone with the process. DuckDB cannot read or write it. */
import { WeirError } from "../errors.ts";
import type { ReadableFiles, Storage, StoredObject } from "../storage/storage.ts";

const scheme = "memory://weir/";

/** A {@linkcode Storage} in memory. Several instances over one map behave as several processes over one folder. */
export class MemoryStorage implements Storage {
  readonly #objects: Map<string, { readonly bytes: Uint8Array; readonly modifiedMs: number }>;

  /** @param shared Another instance whose objects this one shares. */
  constructor(shared?: MemoryStorage) {
    this.#objects = shared === undefined ? new Map() : shared.#objects;
  }

  uri(path: string): string {
    return scheme + path;
  }

  path(uri: string): string {
    if (!uri.startsWith(scheme)) throw new WeirError("tableUnreadable", `"${uri}" is outside of the storage`);
    return uri.slice(scheme.length);
  }

  read(path: string): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.#objects.get(path)?.bytes.slice());
  }

  stat(path: string): Promise<StoredObject | undefined> {
    const found = this.#objects.get(path);
    return Promise.resolve(found && { path, bytes: found.bytes.length, modifiedMs: found.modifiedMs });
  }

  putIfAbsent(path: string, bytes: Uint8Array): Promise<boolean> {
    if (this.#objects.has(path)) return Promise.resolve(false);
    this.#objects.set(path, { bytes: bytes.slice(), modifiedMs: Date.now() });
    return Promise.resolve(true);
  }

  put(path: string, bytes: Uint8Array): Promise<void> {
    this.#objects.set(path, { bytes: bytes.slice(), modifiedMs: Date.now() });
    return Promise.resolve();
  }

  async *list(folder: string): AsyncIterable<StoredObject> {
    const paths = [...this.#objects.keys()].filter((path) => folder === "" || path.startsWith(`${folder}/`));
    for (const path of paths.sort(comparePaths)) {
      const found = await this.stat(path);
      if (found !== undefined) yield found;
    }
  }

  subfolders(folder: string): Promise<readonly string[]> {
    const prefix = folder === "" ? "" : `${folder}/`;
    const below = [...this.#objects.keys()].filter((path) => path.startsWith(prefix));
    const names = below.map((path) => path.slice(prefix.length).split("/")).filter((names) => names.length > 1);
    return Promise.resolve([...new Set(names.map(([name]) => name!))].sort());
  }

  delete(path: string): Promise<void> {
    this.#objects.delete(path);
    return Promise.resolve();
  }

  prepareFolder(path: string): Promise<string> {
    return Promise.reject(notForDuckdb(path));
  }

  publish(path: string): Promise<void> {
    return Promise.reject(notForDuckdb(path));
  }

  readable(paths: readonly string[]): Promise<ReadableFiles> {
    return Promise.reject(notForDuckdb(paths.join(", ")));
  }
}

function notForDuckdb(what: string): TypeError {
  return new TypeError(`Cannot give DuckDB a path for "${what}": this storage is in memory`);
}

/** Folder by folder, as a walk over a tree gives them: `a/x` before `a.b`, although `.` sorts before `/`. */
function comparePaths(left: string, right: string): number {
  const [lefts, rights] = [left.split("/"), right.split("/")];
  for (let depth = 0; depth < Math.min(lefts.length, rights.length); depth++) {
    const [one, other] = [lefts[depth] as string, rights[depth] as string];
    if (one !== other) return one < other ? -1 : 1;
  }
  return lefts.length - rights.length;
}
