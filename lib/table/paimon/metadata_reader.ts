/** Reading a table's metadata files, with the damaged file's name in every error. */
import { WeirError } from "../../errors.ts";
import { parseJson } from "../lossless_json.ts";
import type { Storage } from "../../storage/storage.ts";
import type { TableLayout } from "./layout.ts";
import { decodeIndexManifest, type IndexEntry } from "./index_manifest.ts";
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

  /** Index files of a snapshot. */
  async indexManifest(name: string): Promise<readonly IndexEntry[]> {
    return await this.#required(this.layout.manifest(name), decodeIndexManifest);
  }

  /** A file that the table says it has, decoded. */
  async part<Value>(path: string, decode: (bytes: Uint8Array) => Value): Promise<Value> {
    return await this.#required(path, decode);
  }

  /** Path below the storage root of a file outside the table's folder. */
  externalPath(uri: string): string {
    return this.#storage.path(uri);
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
    const hint = await this.#hint(this.layout.latestHint);
    let newest = hint !== undefined && await this.#storage.stat(this.layout.snapshot(hint)) ? hint : undefined;
    newest ??= (await this.#listedSnapshotIds()).reduce<bigint | undefined>(
      (most, id) => most === undefined || id > most ? id : most,
      undefined,
    );
    if (newest === undefined) {
      if (hint === undefined) return undefined;
      throw this.unreadable(this.layout.snapshot(hint), new RangeError("The newest snapshot is missing"));
    }
    while (await this.#storage.stat(this.layout.snapshot(newest + 1n))) newest++;
    return newest;
  }

  /** The oldest snapshot's id, found like the newest's: a hint may stand above snapshots that an expiry did not come to. */
  async earliestSnapshotId(): Promise<bigint | undefined> {
    const hint = await this.#hint(this.layout.earliestHint);
    let earliest = hint !== undefined && await this.#storage.stat(this.layout.snapshot(hint)) ? hint : undefined;
    earliest ??= (await this.#listedSnapshotIds()).reduce<bigint | undefined>(
      (least, id) => least === undefined || id < least ? id : least,
      undefined,
    );
    while (earliest !== undefined && await this.#storage.stat(this.layout.snapshot(earliest - 1n))) earliest--;
    return earliest;
  }

  /** All manifests of a snapshot. */
  async manifestsOf(snapshot: Snapshot): Promise<readonly ManifestMeta[]> {
    const lists = [snapshot.baseManifestList, snapshot.deltaManifestList];
    return (await Promise.all(lists.map((name) => this.manifestList(name)))).flat();
  }

  /** Paths below a folder. */
  async paths(folder: string): Promise<readonly string[]> {
    const paths: string[] = [];
    for await (const { path } of this.#storage.list(folder)) paths.push(path);
    return paths;
  }

  /** The snapshot that a tag keeps. Undefined where there is no such tag. */
  async tag(name: string): Promise<Snapshot | undefined> {
    return await this.#decode(this.layout.tag(name), decodeSnapshot);
  }

  /** The snapshot that a consumer will read next. Undefined where its file says nothing. */
  async consumedId(path: string): Promise<bigint | undefined> {
    return await this.#decode(path, (bytes) => {
      const next = (parseJson(new TextDecoder().decode(bytes)) as Record<string, unknown>).nextSnapshot;
      return typeof next === "number" || typeof next === "bigint" ? BigInt(next) : undefined;
    });
  }

  /** An error that names the damaged file. */
  unreadable(path: string, cause: unknown): WeirError {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new WeirError("tableUnreadable", `Cannot read ${path}: ${reason}`, { cause, detail: { path } });
  }

  async #hint(path: string): Promise<bigint | undefined> {
    const bytes = await this.#storage.read(path);
    const text = bytes === undefined ? "" : new TextDecoder().decode(bytes).trim();
    return /^\d+$/.test(text) ? BigInt(text) : undefined;
  }

  async #listedSnapshotIds(): Promise<readonly bigint[]> {
    const ids = (await this.paths(this.layout.snapshotFolder)).map((path) => /\/snapshot-(\d+)$/.exec(path)?.[1]);
    return ids.filter((id) => id !== undefined).map(BigInt);
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
