/** The file-system layout: versions stand beside the table as `metadata/v<N>.metadata.json`, and nobody else is asked. */
import type { Storage } from "../../storage/storage.ts";
import { formatMetadata, type TableMetadata } from "./metadata.ts";
import { findVersion, hintPath, metadataPath, readMetadata } from "./metadata_file.ts";
import { isInHistory, putCommit } from "./put_commit.ts";
import type { IcebergStaged } from "./stage_commit.ts";
import type { CatalogCommit, TableCatalog, TableVersion } from "./table_catalog.ts";

/** A table's versions in its own folder. One process commits: put-if-absent tells a second one that it lost. */
export class FileCatalog implements TableCatalog {
  readonly isService = false;
  readonly #place: { readonly storage: Storage; readonly folder: string };

  /** @param place Storage, and the folder of the table in it. */
  constructor(place: { readonly storage: Storage; readonly folder: string }) {
    this.#place = place;
  }

  async load(known: TableVersion | undefined): Promise<TableVersion | undefined> {
    if (known !== undefined && await this.#isNewest(known.version)) return known;
    const { storage, folder } = this.#place;
    const version = await findVersion(storage, folder);
    const metadata = version === undefined ? undefined : await readMetadata(storage, metadataPath(folder, version));
    return version === undefined || metadata === undefined ? undefined : { version, metadata, folder };
  }

  async create(metadata: TableMetadata): Promise<void> {
    const { storage, folder } = this.#place;
    await storage.putIfAbsent(metadataPath(folder, 1), new TextEncoder().encode(formatMetadata(metadata)));
    await storage.put(hintPath(folder), new TextEncoder().encode("1"));
  }

  async commit(staged: IcebergStaged): Promise<CatalogCommit> {
    const result = await putCommit(this.#place, staged);
    return result.outcome === "committed" ? { ...result, next: staged.next } : result;
  }

  async isCommitted(staged: IcebergStaged): Promise<boolean> {
    const newest = await findVersion(this.#place.storage, this.#place.folder);
    return newest !== undefined && await isInHistory(this.#place, staged, newest);
  }

  async #isNewest(version: number): Promise<boolean> {
    const { storage, folder } = this.#place;
    const [own, next] = await Promise.all(
      [version, version + 1].map((each) => storage.stat(metadataPath(folder, each))),
    );
    return own !== undefined && next === undefined;
  }
}
