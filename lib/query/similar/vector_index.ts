/**
 * An approximate index of a table's vectors, in a folder of this machine.
 *
 * It is kept apart from the table, where other tools would find a file that they do not know, and belongs to one lake as one machine
 * sees it: it can be made again at any time, and so nothing is lost with it.
 */
import { join } from "node:path";
import { storageError, WeirError } from "../../errors.ts";
import { LocalStorage } from "../../storage/local.ts";
import { type Neighbours, VectorGraph } from "./graph.ts";
import { type IndexManifest, readManifest } from "./index_manifest.ts";
import { type IndexRefresh, refreshIndex, type RefreshOptions } from "./index_refresh.ts";

/** The index of one table. Disposing frees its worker. */
export class VectorIndex implements Disposable {
  readonly #path: string;
  readonly #folder: LocalStorage;
  #graph: { readonly file: string; readonly graph: VectorGraph } | undefined;

  /** @param path Folder of this index alone, made by the first refresh. */
  constructor(path: string) {
    this.#path = path;
    this.#folder = new LocalStorage(path);
  }

  /**
   * What the index has now, ready to be searched. Undefined where it has never been built.
   *
   * Throws `tableUnreadable` where its graph is damaged: the whole of its file is read for that, each time it is opened, and not
   * again while it is open. Throws `precondition` where the library does not run on this machine.
   */
  async load(): Promise<IndexManifest | undefined> {
    for (let manifest = await readManifest(this.#folder); manifest !== undefined;) {
      const { graph: { file, checksum }, dimensions } = manifest;
      if (this.#graph?.file === file) return manifest;
      try {
        const graph = await VectorGraph.open(join(this.#path, file), { dimensions, checksum, add: false });
        this[Symbol.dispose]();
        this.#graph = { file, graph };
        return manifest;
      } catch (thrown) {
        // Another process may have replaced it between the two.
        const next = await readManifest(this.#folder);
        if (next?.graph.file === file) throw thrown;
        manifest = next;
      }
    }
    return undefined;
  }

  /**
   * Brings the index up to the table's newest snapshot: adds what came since, or builds it.
   *
   * Throws `fenced` where another process does the same.
   */
  async refresh(options: Omit<RefreshOptions, "folder">): Promise<IndexRefresh> {
    await this.#folder.prepareFolder("");
    const path = join(this.#path, "refresh.lock");
    using file = await Deno.open(path, { create: true, read: true, write: true }).catch((thrown) => {
      throw storageError(thrown, path);
    });
    if (!await file.tryLock(true)) {
      throw new WeirError("fenced", "Another process refreshes the index", {
        detail: { path },
        advice: "Wait for it to end; searches go on meanwhile",
      });
    }
    try {
      return await refreshIndex({ ...options, folder: this.#folder });
    } finally {
      await file.unlock();
    }
  }

  /** The labels nearest to a vector. */
  async nearest(vector: Float32Array, count: number): Promise<Neighbours> {
    return await this.#loaded().nearest(vector, count);
  }

  /** Those of some labels that it does not have. */
  async lacking(labels: BigUint64Array<ArrayBuffer>): Promise<BigUint64Array> {
    return await this.#loaded().lacking(labels);
  }

  [Symbol.dispose](): void {
    this.#graph?.graph[Symbol.dispose]();
    this.#graph = undefined;
  }

  #loaded(): VectorGraph {
    if (this.#graph === undefined) throw new TypeError("Cannot search a vector index that is not loaded");
    return this.#graph.graph;
  }
}
