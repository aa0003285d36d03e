/**
 * Storage in a bucket of an S3-compatible object store, or of Google's through the same protocol.
 *
 * Promise: that of {@linkcode Storage}. A put whose answer was lost is looked up by a token of its own that the object
 * carries, so that `putIfAbsent` says true to exactly one of several writers, whatever the network does.
 */
import { storageError, WeirError } from "../../errors.ts";
import type { ReadableFiles, Storage, StoredObject } from "../storage.ts";
import { ObjectClient, type ObjectClientOptions } from "./client.ts";
import { FileCache } from "./file_cache.ts";
import { listingPages } from "./listing.ts";
import { locationUri, type ObjectLocation } from "./location.ts";
import { downloadFile, uploadFile } from "./transfer.ts";

/** Where a lake lies, and how it is reached. */
export interface S3StorageOptions extends Omit<ObjectClientOptions, "scheme" | "bucket"> {
  readonly location: ObjectLocation;
  /** Absolute local folder, its own: files are written here before they are sent, and fetched here to be read. */
  readonly cacheFolder: string;
  /** Bytes that may stay there. Default 2 GiB. */
  readonly cacheBytes?: number;
}

const probePatienceMs = 10_000;

/** A {@linkcode Storage} below a prefix of a bucket. */
export class S3Storage implements Storage {
  readonly #options: S3StorageOptions;
  readonly #client: ObjectClient;
  readonly #cache: FileCache;
  /** URI of the root, with `/` at its end. */
  readonly #root: string;
  /** What stands before every path in the bucket. */
  readonly #prefix: string;

  constructor(options: S3StorageOptions) {
    const { location, cacheFolder, cacheBytes = 2 * 2 ** 30, ...rest } = options;
    this.#options = options;
    this.#client = new ObjectClient({ ...rest, scheme: location.scheme, bucket: location.bucket });
    this.#root = `${locationUri(location)}/`;
    this.#prefix = location.prefix === "" ? "" : `${location.prefix}/`;
    this.#cache = new FileCache({
      folder: cacheFolder,
      limitBytes: cacheBytes,
      fetch: (path, file) => downloadFile(this.#client, { key: this.#key(path), file }),
    });
  }

  uri(path: string): string {
    return this.#root + path;
  }

  path(uri: string): string {
    if (uri.startsWith(this.#root)) return uri.slice(this.#root.length);
    throw new WeirError("tableUnreadable", `A table in ${this.#root} has files outside of it: it was moved`, {
      detail: { path: uri },
      advice: "Move the lake back to where those files were, and give that as --lake",
    });
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    return await this.#client.send(
      { method: "GET", key: this.#key(path), answers: [404] },
      async (response) => response.status === 404 ? undefined : new Uint8Array(await response.arrayBuffer()),
    );
  }

  async stat(path: string): Promise<StoredObject | undefined> {
    return await this.#client.send({ method: "HEAD", key: this.#key(path), answers: [404] }, ({ status, headers }) => {
      if (status === 404) return undefined;
      const modifiedMs = Date.parse(headers.get("last-modified") ?? "");
      return { path, bytes: Number(headers.get("content-length")), modifiedMs };
    });
  }

  async putIfAbsent(path: string, bytes: Uint8Array): Promise<boolean> {
    const key = this.#key(path);
    const token = crypto.randomUUID();
    const [condition, value] = this.#client.dialect.ifAbsent;
    const headers = { [condition]: value, [this.#tokenHeader]: token };
    // A try whose answer was lost may have made the object: then the next one is refused, and the token says whose it is.
    for (;;) {
      const made = await this.#client.send(
        { method: "PUT", key, headers, body: bytes.slice(), answers: [412] },
        ({ ok }) => ok,
      );
      if (made) return true;
      const owner = await this.#tokenOf(key);
      if (owner !== undefined) return owner === token;
      // It left between the two questions, so the name is free again.
    }
  }

  async put(path: string, bytes: Uint8Array): Promise<void> {
    await this.#client.send({ method: "PUT", key: this.#key(path), body: bytes.slice() }, () => {});
  }

  async *list(folder: string): AsyncIterable<StoredObject> {
    const prefix = this.#key(folder === "" ? "" : `${folder}/`);
    for await (const { objects } of listingPages(this.#client, { prefix })) {
      for (const { key, ...object } of objects) yield { path: key.slice(this.#prefix.length), ...object };
    }
  }

  async subfolders(folder: string): Promise<readonly string[]> {
    const prefix = this.#key(folder === "" ? "" : `${folder}/`);
    const found: string[] = [];
    for await (const { prefixes } of listingPages(this.#client, { prefix, delimiter: "/" })) {
      found.push(...prefixes.map((name) => name.slice(prefix.length, -1)));
    }
    return found.sort();
  }

  async delete(path: string): Promise<void> {
    await this.#cache.drop(path);
    await this.#client.send({ method: "DELETE", key: this.#key(path), answers: [404] }, () => {});
  }

  async prepareFolder(path: string): Promise<string> {
    const folder = this.#cache.file(path);
    await Deno.mkdir(folder, { recursive: true }).catch((thrown) => {
      throw storageError(thrown, path);
    });
    return folder;
  }

  async publish(path: string): Promise<void> {
    const bytes = await uploadFile(this.#client, { key: this.#key(path), file: this.#cache.file(path) })
      .catch(async (thrown) => {
        await this.#cache.drop(path);
        throw thrown;
      });
    this.#cache.adopt(path, bytes);
  }

  async readable(paths: readonly string[]): Promise<ReadableFiles> {
    return await this.#cache.lease(paths);
  }

  /**
   * Makes sure, before anything relies on it, that this store refuses to put what is there. A store that cannot be reached is
   * given up sooner than later on: its address may be wrong.
   *
   * @throws {WeirError} `precondition` where it does not; what the client throws where it cannot be reached or used.
   */
  async probe(): Promise<void> {
    const { patienceMs = probePatienceMs } = this.#options;
    const hasty = new S3Storage({ ...this.#options, patienceMs: Math.min(patienceMs, probePatienceMs) });
    if (await hasty.#refusesSecondPut(`weir-probe-${crypto.randomUUID()}`)) return;
    const [condition, value] = this.#client.dialect.ifAbsent;
    throw new WeirError("precondition", `The object store does not refuse a put with "${condition}: ${value}"`, {
      detail: { path: this.#root },
      advice: "Use a store that does, or its newer version: without it two writers could take the same table version",
    });
  }

  async #refusesSecondPut(path: string): Promise<boolean> {
    const first = await this.putIfAbsent(path, new Uint8Array(1));
    try {
      const second = await this.putIfAbsent(path, new Uint8Array(2));
      const kept = await this.read(path);
      return first && !second && kept?.length === 1;
    } finally {
      await this.delete(path).catch(() => {});
    }
  }

  /** Carries who put an object. */
  get #tokenHeader(): string {
    return `${this.#client.dialect.headerPrefix}meta-weir-put`;
  }

  /** Undefined where there is no object; empty for one without a token. */
  async #tokenOf(key: string): Promise<string | undefined> {
    return await this.#client.send(
      { method: "HEAD", key, answers: [404] },
      ({ status, headers }) => status === 404 ? undefined : headers.get(this.#tokenHeader) ?? "",
    );
  }

  #key(path: string): string {
    return this.#prefix + path;
  }
}
