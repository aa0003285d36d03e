/** Reading a table's metadata files, with the damaged file's name in every error. */
import { WeirError } from "../../errors.ts";
import type { Storage } from "../../storage/storage.ts";
import type { TableLayout } from "./layout.ts";
import { decodeManifest, decodeManifestList, type ManifestEntry, type ManifestMeta } from "./manifest.ts";
import { decodeSchema, type PaimonSchema } from "./schema.ts";
import { decodeSnapshot, type Snapshot } from "./snapshot.ts";

/** Reads one table's metadata. */
export class MetadataReader {
  readonly layout: TableLayout;
  readonly #storage: Storage;

  constructor(storage: Storage, layout: TableLayout) {
    this.#storage = storage;
    this.layout = layout;
  }

  /** Undefined where there is no such schema. */
  async schema(id: number): Promise<PaimonSchema | undefined> {
    return await this.#decode(this.layout.schema(id), decodeSchema);
  }

  /** Undefined where there is no such snapshot. */
  async snapshot(id: bigint): Promise<Snapshot | undefined> {
    return await this.#decode(this.layout.snapshot(id), decodeSnapshot);
  }

  async manifestList(name: string): Promise<readonly ManifestMeta[]> {
    return await this.#required(this.layout.manifest(name), decodeManifestList);
  }

  async manifest({ _FILE_NAME, _FILE_SIZE }: ManifestMeta): Promise<readonly ManifestEntry[]> {
    return await this.#required(this.layout.manifest(_FILE_NAME), (bytes) => {
      if (BigInt(bytes.length) !== _FILE_SIZE) {
        throw new RangeError(`Cannot read a manifest of ${bytes.length} bytes: ${_FILE_SIZE} were written`);
      }
      return decodeManifest(bytes);
    });
  }

  /** A schema that a file or snapshot refers to. */
  async requiredSchema(id: number): Promise<PaimonSchema> {
    return await this.#required(this.layout.schema(id), decodeSchema);
  }

  /**
   * The newest snapshot's id. The hint may lag behind, so the ids above it are probed; a listing is needed only where the
   * hint is missing or points nowhere.
   */
  async newestSnapshotId(): Promise<bigint | undefined> {
    const hint = await this.#hint();
    let newest = hint !== undefined && await this.#storage.stat(this.layout.snapshot(hint)) ? hint : undefined;
    newest ??= await this.#listedSnapshotId();
    if (newest === undefined) {
      if (hint === undefined) return undefined;
      throw this.unreadable(this.layout.snapshot(hint), new RangeError("The newest snapshot is missing"));
    }
    while (await this.#storage.stat(this.layout.snapshot(newest + 1n))) newest++;
    return newest;
  }

  /** An error that names the damaged file. */
  unreadable(path: string, cause: unknown): WeirError {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new WeirError("tableUnreadable", `Cannot read ${path}: ${reason}`, { cause, detail: { path } });
  }

  async #hint(): Promise<bigint | undefined> {
    const bytes = await this.#storage.read(this.layout.latestHint);
    const text = bytes === undefined ? "" : new TextDecoder().decode(bytes).trim();
    return /^\d+$/.test(text) ? BigInt(text) : undefined;
  }

  async #listedSnapshotId(): Promise<bigint | undefined> {
    let newest: bigint | undefined;
    for await (const { path } of this.#storage.list(this.layout.snapshotFolder)) {
      const id = /\/snapshot-(\d+)$/.exec(path)?.[1];
      if (id !== undefined && (newest === undefined || BigInt(id) > newest)) newest = BigInt(id);
    }
    return newest;
  }

  async #required<Value>(path: string, decode: (bytes: Uint8Array) => Value): Promise<Value> {
    const value = await this.#decode(path, decode);
    if (value === undefined) throw this.unreadable(path, new RangeError("the file is missing"));
    return value;
  }

  async #decode<Value>(path: string, decode: (bytes: Uint8Array) => Value): Promise<Value | undefined> {
    const bytes = await this.#storage.read(path);
    if (bytes === undefined) return undefined;
    try {
      return decode(bytes);
    } catch (thrown) {
      throw this.unreadable(path, thrown);
    }
  }
}
