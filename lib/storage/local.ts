/** Storage in a local folder. The commit point is `link(2)`, which fails where the name is taken (POSIX). */
import { dirname, join, relative, resolve } from "node:path";
import { storageError, WeirError } from "../errors.ts";
import type { ReadableFiles, Storage, StoredObject } from "./storage.ts";
import { writeAll } from "./write_all.ts";

/** A {@linkcode Storage} below a local folder, made when first written to. */
export class LocalStorage implements Storage {
  readonly #root: string;
  /** Every file is one that DuckDB may read, for ever. */
  readonly #readable: ReadableFiles;

  /** @param root Folder; relative paths count from the working directory. */
  constructor(root: string) {
    this.#root = resolve(root);
    this.#readable = { duckdbPath: (path) => this.#absolute(path), [Symbol.dispose]: () => {} };
  }

  uri(path: string): string {
    // Table readers compare paths as strings and do not decode them, so nothing is percent-encoded here.
    return `file://${this.#absolute(path)}`;
  }

  path(uri: string): string {
    // Hadoop spells what was `file:///lake` as `file:/lake`.
    const path = relative(this.#root, uri.replace(/^file:(\/\/)?(?=\/)/, ""));
    if (!path.startsWith("..")) return path;
    // Iceberg tables name their files with the whole path.
    throw new WeirError("tableUnreadable", `A table in ${this.#root} has files outside of it: it was moved`, {
      detail: { path: uri },
      advice: "Move the lake back to where those files were, or make a link to it there and give that as --lake",
    });
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    return await missingAsUndefined(Deno.readFile(this.#absolute(path)), path);
  }

  async stat(path: string): Promise<StoredObject | undefined> {
    const info = await missingAsUndefined(Deno.stat(this.#absolute(path)), path);
    return info && { path, bytes: info.size, modifiedMs: info.mtime?.getTime() ?? 0 };
  }

  async putIfAbsent(path: string, bytes: Uint8Array): Promise<boolean> {
    const target = this.#absolute(path);
    const temporary = await this.#writeBeside(target, bytes);
    try {
      await Deno.link(temporary, target);
      return true;
    } catch (thrown) {
      if (thrown instanceof Deno.errors.AlreadyExists) return false;
      throw storageError(thrown, path);
    } finally {
      await Deno.remove(temporary).catch(() => {});
      await syncFolder(dirname(target));
    }
  }

  async put(path: string, bytes: Uint8Array): Promise<void> {
    const target = this.#absolute(path);
    const temporary = await this.#writeBeside(target, bytes);
    await Deno.rename(temporary, target).catch((thrown) => {
      throw storageError(thrown, path);
    });
  }

  async *list(folder: string): AsyncIterable<StoredObject> {
    const entries = await missingAsUndefined(entriesOf(this.#absolute(folder)), folder) ?? [];
    for (const entry of entries) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory) yield* this.list(path);
      else {
        const found = await this.stat(path);
        if (found !== undefined) yield found;
      }
    }
  }

  async subfolders(folder: string): Promise<readonly string[]> {
    const entries = await missingAsUndefined(entriesOf(this.#absolute(folder)), folder) ?? [];
    return entries.filter((entry) => entry.isDirectory).map(({ name }) => name);
  }

  async delete(path: string): Promise<void> {
    await missingAsUndefined(Deno.remove(this.#absolute(path)), path);
  }

  async prepareFolder(path: string): Promise<string> {
    const folder = this.#absolute(path);
    await Deno.mkdir(folder, { recursive: true }).catch((thrown) => {
      throw storageError(thrown, path);
    });
    return folder;
  }

  readable(_paths: readonly string[]): Promise<ReadableFiles> {
    return Promise.resolve(this.#readable);
  }

  async publish(path: string): Promise<void> {
    using file = await Deno.open(this.#absolute(path), { read: true });
    await file.sync();
  }

  #absolute(path: string): string {
    return join(this.#root, path);
  }

  async #writeBeside(target: string, bytes: Uint8Array): Promise<string> {
    const temporary = `${target}.${crypto.randomUUID()}.tmp`;
    try {
      await Deno.mkdir(dirname(target), { recursive: true });
      using file = await Deno.open(temporary, { write: true, createNew: true });
      await writeAll(file, bytes);
      await file.sync();
    } catch (thrown) {
      await Deno.remove(temporary).catch(() => {});
      throw storageError(thrown, target);
    }
    return temporary;
  }
}

async function entriesOf(folder: string): Promise<Deno.DirEntry[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  return entries.sort((left, right) => left.name < right.name ? -1 : 1);
}

async function missingAsUndefined<T>(promise: Promise<T>, path: string): Promise<T | undefined> {
  try {
    return await promise;
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return undefined;
    throw storageError(thrown, path);
  }
}

/** A folder entry is durable only once the folder itself is flushed (fsync(2), notes). */
async function syncFolder(folder: string): Promise<void> {
  using handle = await Deno.open(folder, { read: true });
  await handle.sync();
}
