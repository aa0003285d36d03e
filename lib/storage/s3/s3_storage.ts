/**
 * Storage in a bucket of an S3-compatible object store, or of Google's through the same protocol.
 *
 * Promise: that of {@linkcode Storage}. A put whose answer was lost is looked up by a token of its own that the object
 * carries, so that `putIfAbsent` says true to exactly one of several writers, whatever the network does.
 */
import { storageError, WeirError } from "../../errors.ts";
import type { OtherPlace } from "../other_place.ts";
import { refusesSecondPut } from "../put_probe.ts";
import type { ReadableFiles, Storage, StoredObject } from "../storage.ts";
import { ObjectClient, type ObjectClientOptions } from "./client.ts";
import { FileCache } from "./file_cache.ts";
import { listingPages } from "./listing.ts";
import { isUri, type ObjectNamed, objectUri, OtherPlaces } from "./other_places.ts";
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
  readonly #others: OtherPlaces;

  constructor(options: S3StorageOptions) {
    const { location, cacheFolder, cacheBytes = 2 * 2 ** 30, ...rest } = options;
    this.#options = options;
    this.#client = new ObjectClient({ ...rest, scheme: location.scheme, bucket: location.bucket });
    this.#root = `${locationUri(location)}/`;
    this.#prefix = location.prefix === "" ? "" : `${location.prefix}/`;
    this.#others = new OtherPlaces({ ...rest, scheme: location.scheme });
    this.#cache = new FileCache({
      folder: cacheFolder,
      limitBytes: cacheBytes,
      fetch: (path, file) => {
        const { client, key } = this.#at(path);
        return downloadFile(client, { key, file });
      },
    });
  }

  uri(path: string): string {
    return isUri(path) ? path : this.#root + path;
  }

  path(spelled: string): string {
    const uri = objectUri(spelled);
    // It would be another file where objects are kept as files.
    if (/\/\.\.?(\/|$)/.test(uri)) throw new WeirError("tableUnreadable", `Cannot use ${uri} as a name`);
    if (uri.startsWith(this.#root)) return uri.slice(this.#root.length);
    if (this.#others.of(uri) !== undefined) return uri;
    throw new WeirError("tableUnreadable", `A table in ${this.#root} has files outside of it: it was moved`, {
      detail: { path: uri },
      advice: "Move the lake back to where those files were, and give that as --lake; those of a catalog's table are " +
        "reached through the catalog, so name it",
    });
  }

  reach(place: OtherPlace): string {
    this.#others.add(place);
    return this.path(place.uri);
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    const { client, key } = this.#at(path);
    return await client.send(
      { method: "GET", key, answers: [404] },
      async (response) => response.status === 404 ? undefined : new Uint8Array(await response.arrayBuffer()),
    );
  }

  async stat(path: string): Promise<StoredObject | undefined> {
    const { client, key } = this.#at(path);
    return await client.send({ method: "HEAD", key, answers: [404] }, ({ status, headers }) => {
      if (status === 404) return undefined;
      const modifiedMs = Date.parse(headers.get("last-modified") ?? "");
      return { path, bytes: Number(headers.get("content-length")), modifiedMs };
    });
  }

  async putIfAbsent(path: string, bytes: Uint8Array): Promise<boolean> {
    const { client, key } = this.#at(path);
    const token = crypto.randomUUID();
    const [condition, value] = this.#client.dialect.ifAbsent;
    const headers = { [condition]: value, [this.#tokenHeader]: token };
    // A try whose answer was lost may have made the object: then the next one is refused, and the token says whose it is.
    for (;;) {
      const made = await client.send(
        { method: "PUT", key, headers, body: bytes.slice(), answers: [412] },
        ({ ok }) => ok,
      );
      if (made) return true;
      const owner = await this.#tokenOf(client, key);
      if (owner !== undefined) return owner === token;
      // It left between the two questions, so the name is free again.
    }
  }

  async put(path: string, bytes: Uint8Array): Promise<void> {
    const { client, key } = this.#at(path);
    await client.send({ method: "PUT", key, body: bytes.slice() }, () => {});
  }

  async *list(folder: string): AsyncIterable<StoredObject> {
    const within = folder === "" ? "" : `${folder}/`;
    const { client, key: prefix } = this.#at(within);
    for await (const { objects } of listingPages(client, { prefix })) {
      for (const { key, ...object } of objects) yield { path: within + key.slice(prefix.length), ...object };
    }
  }

  async subfolders(folder: string): Promise<readonly string[]> {
    const { client, key: prefix } = this.#at(folder === "" ? "" : `${folder}/`);
    const found: string[] = [];
    for await (const { prefixes } of listingPages(client, { prefix, delimiter: "/" })) {
      found.push(...prefixes.map((name) => name.slice(prefix.length, -1)));
    }
    return found.sort();
  }

  async delete(path: string): Promise<void> {
    await this.#cache.drop(path);
    const { client, key } = this.#at(path);
    await client.send({ method: "DELETE", key, answers: [404] }, () => {});
  }

  async prepareFolder(path: string): Promise<string> {
    const folder = this.#cache.file(path);
    await Deno.mkdir(folder, { recursive: true }).catch((thrown) => {
      throw storageError(thrown, path);
    });
    return folder;
  }

  async publish(path: string): Promise<void> {
    const { client, key } = this.#at(path);
    const bytes = await uploadFile(client, { key, file: this.#cache.file(path) })
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
    if (await refusesSecondPut(hasty)) return;
    const [condition, value] = this.#client.dialect.ifAbsent;
    throw new WeirError("precondition", `The object store does not refuse a put with "${condition}: ${value}"`, {
      detail: { path: this.#root },
      advice: "Use a store that does, or its newer version: without it two writers could take the same table version",
    });
  }

  /** Carries who put an object. */
  get #tokenHeader(): string {
    return `${this.#client.dialect.headerPrefix}meta-weir-put`;
  }

  /** Undefined where there is no object; empty for one without a token. */
  async #tokenOf(client: ObjectClient, key: string): Promise<string | undefined> {
    return await client.send(
      { method: "HEAD", key, answers: [404] },
      ({ status, headers }) => status === 404 ? undefined : headers.get(this.#tokenHeader) ?? "",
    );
  }

  /** Who is asked for a path, and by which name. */
  #at(path: string): ObjectNamed {
    return this.#others.of(this.uri(path)) ?? { client: this.#client, key: this.#prefix + path };
  }
}
