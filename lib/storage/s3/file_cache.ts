/**
 * Objects as local files, for an engine that reads nothing else.
 *
 * Promise: a leased file stays as it is until its last lease is given back; what nobody leases is removed, least recently
 * used first, as soon as all files together are larger than the limit. Only leased files can hold more than that.
 */
import { dirname, join } from "node:path";
import { storageError } from "../../errors.ts";
import { atMost } from "../../at_most.ts";
import type { ReadableFiles } from "../storage.ts";

/** Limits of a {@linkcode FileCache}, and where its files come from. */
export interface FileCacheOptions {
  /** Absolute folder of its own. */
  readonly folder: string;
  /** Bytes. */
  readonly limitBytes: number;
  /** Fetches an object into a local file and gives its size. */
  readonly fetch: (path: string, file: string) => Promise<number>;
}

interface CachedFile {
  /** Resolves to its size once it is whole. */
  readonly ready: Promise<number>;
  bytes: number;
  leases: number;
}

/** Files that are fetched at the same time. */
const filesAtOnce = 4;

/** A bounded folder of immutable files. */
export class FileCache {
  readonly #options: FileCacheOptions;
  /** In the order of their last use. */
  readonly #files = new Map<string, CachedFile>();
  #bytes = 0;

  constructor(options: FileCacheOptions) {
    this.#options = options;
  }

  /** Bytes of the files that are whole. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Where a file is, or would be written to. */
  file(path: string): string {
    return join(this.#options.folder, path);
  }

  /** Has files fetched that are not there, and keeps all of them until the lease is disposed. */
  async lease(paths: readonly string[]): Promise<ReadableFiles> {
    const wanted = new Set(paths);
    const taken: CachedFile[] = [];
    const giveBack = () => {
      for (const file of taken.splice(0)) file.leases--;
      this.#evict();
    };
    try {
      await atMost(filesAtOnce, [...wanted], async (path) => {
        const file = this.#use(path);
        taken.push(file);
        await file.ready;
      });
    } catch (thrown) {
      giveBack();
      throw thrown;
    }
    this.#evict();
    return {
      duckdbPath: (path) => {
        if (wanted.has(path)) return this.file(path);
        throw new RangeError(`Cannot read "${path}": it is not among the files that were asked for`);
      },
      [Symbol.dispose]: giveBack,
    };
  }

  /** Takes up a file that was written to its place here, and is in the store by now. */
  adopt(path: string, bytes: number): void {
    this.#forget(path);
    this.#files.set(path, { ready: Promise.resolve(bytes), bytes, leases: 0 });
    this.#bytes += bytes;
    this.#evict();
  }

  /** Forgets a file whose object is gone, or that never became one. Who leases it keeps it. */
  async drop(path: string): Promise<void> {
    if ((this.#files.get(path)?.leases ?? 0) > 0) return;
    this.#forget(path);
    await Deno.remove(this.file(path)).catch(() => {});
  }

  #use(path: string): CachedFile {
    const file = this.#files.get(path) ?? this.#fetched(path);
    this.#files.delete(path);
    this.#files.set(path, file);
    file.leases++;
    return file;
  }

  #fetched(path: string): CachedFile {
    const fetched: CachedFile = { ready: this.#fetch(path), bytes: 0, leases: 0 };
    fetched.ready.then((bytes) => {
      fetched.bytes = bytes;
      this.#bytes += bytes;
    }, () => this.#files.delete(path));
    return fetched;
  }

  async #fetch(path: string): Promise<number> {
    const file = this.file(path);
    await Deno.mkdir(dirname(file), { recursive: true }).catch((thrown) => {
      throw storageError(thrown, file);
    });
    // Under another name until it is whole.
    const unfinished = `${file}.part`;
    try {
      const bytes = await this.#options.fetch(path, unfinished);
      await Deno.rename(unfinished, file);
      return bytes;
    } catch (thrown) {
      await Deno.remove(unfinished).catch(() => {});
      throw thrown;
    }
  }

  #evict(): void {
    for (const [path, { leases, bytes }] of this.#files) {
      if (this.#bytes <= this.#options.limitBytes) return;
      if (leases > 0 || bytes === 0) continue;
      this.#forget(path);
      // At once: a file of that name may be fetched again right after this.
      Deno.removeSync(this.file(path));
    }
  }

  #forget(path: string): void {
    const known = this.#files.get(path);
    if (known === undefined) return;
    this.#files.delete(path);
    this.#bytes -= known.bytes;
  }
}
