/**
 * An Apache Iceberg table in the file-system layout, versions 2 and 3 of the format.
 *
 * Promise: a commit puts rows, deletes, schema and position in one atomic step; a reader of the format sees all of it or
 * nothing. Rows are replaced with deletion vectors (version 3) or position delete files (version 2), never with equality
 * deletes. One process writes a table; a second one loses the race and is told, but loses no rows.
 */
import type { Position } from "../../change/position.ts";
import type { CommitResult, Scan, TableChange } from "../../change/sink.ts";
import type { TableDefinition } from "../../dataset/dataset.ts";
import type { Connection } from "../../engine/connection.ts";
import { WeirError } from "../../errors.ts";
import type { Storage } from "../../storage/storage.ts";
import type { LakeTable } from "../lake_table.ts";
import { stringifyJson } from "../lossless_json.ts";
import { combineParts } from "./combine_parts.ts";
import { DeletedRows } from "./deleted_rows.ts";
import { loadState, type TablePlace } from "./load_state.ts";
import { currentSchema, currentSpec } from "./metadata.ts";
import { findVersion, hintPath, metadataPath, readMetadata } from "./metadata_file.ts";
import { newTable } from "./new_table.ts";
import { prepareChange } from "./prepare_change.ts";
import { type IcebergPrepared, newSnapshotId } from "./prepared_change.ts";
import { isInHistory, putCommit } from "./put_commit.ts";
import { scanState } from "./scan_sql.ts";
import { type IcebergStaged, stageCommit } from "./stage_commit.ts";
import type { IcebergState } from "./state.ts";
import { stillFits } from "./still_fits.ts";

/** Where and how a table is kept. */
export interface IcebergTableOptions {
  readonly storage: Storage;
  /** Used by this table alone while one of its calls runs. */
  readonly connection: Connection;
  /** Folder of the table below the storage root. */
  readonly folder: string;
  readonly namespace: string;
  readonly name: string;
  /** Of a table that is made. Default: 3 with a key (deletion vectors), 2 without. One that exists keeps its own. */
  readonly formatVersion?: 2 | 3;
}

/** One Iceberg table. See {@linkcode LakeTable} for what each call promises. */
export class IcebergTable implements LakeTable<IcebergState, IcebergPrepared, IcebergStaged> {
  readonly format = "iceberg";
  readonly namespace: string;
  readonly name: string;
  readonly location: string;
  readonly #place: TablePlace;
  readonly #formatVersion: 2 | 3 | undefined;
  readonly #deleted: DeletedRows;
  #newest: IcebergState | undefined;

  constructor(options: IcebergTableOptions) {
    this.namespace = options.namespace;
    this.name = options.name;
    this.location = options.storage.uri(options.folder);
    this.#place = options;
    this.#formatVersion = options.formatVersion;
    this.#deleted = new DeletedRows(options.connection);
  }

  async load(): Promise<IcebergState | undefined> {
    if (this.#newest !== undefined && await this.#isNewest(this.#newest.version)) return this.#newest;
    const { storage, folder } = this.#place;
    const version = await findVersion(storage, folder);
    const metadata = version === undefined ? undefined : await readMetadata(storage, metadataPath(folder, version));
    if (version === undefined || metadata === undefined) return this.#newest = undefined;
    // A table made anew under the same name shares nothing with the one before.
    const isSame = this.#newest?.metadata["table-uuid"] === metadata["table-uuid"];
    return this.#newest = await loadState(this.#place, {
      version,
      metadata,
      ...(isSame ? { known: this.#newest! } : {}),
    });
  }

  async create(definition: TableDefinition): Promise<IcebergState> {
    const { storage, folder } = this.#place;
    const formatVersion = this.#formatVersion ?? (definition.key.length > 0 ? 3 : 2);
    const metadata = newTable(definition, { formatVersion, location: this.location });
    const found = await this.load();
    if (found === undefined) {
      await storage.putIfAbsent(metadataPath(folder, 1), new TextEncoder().encode(stringifyJson(metadata)));
      await storage.put(hintPath(folder), new TextEncoder().encode("1"));
    }
    const state = found ?? await this.load();
    if (state === undefined) {
      throw new WeirError("conflict", `Table ${this.namespace}.${this.name} left while it was made`);
    }
    this.#refuseOther(state, definition);
    return state;
  }

  async prepare(state: IcebergState, change: TableChange): Promise<IcebergPrepared> {
    return await prepareChange(this.#place, state, change);
  }

  combine(parts: readonly [IcebergPrepared, ...IcebergPrepared[]]): IcebergPrepared {
    return combineParts(parts);
  }

  stage(state: IcebergState, prepared: IcebergPrepared): IcebergStaged {
    return stageCommit(this.#place, state, prepared);
  }

  async commit(staged: IcebergStaged): Promise<CommitResult> {
    const result = await putCommit(this.#place, staged);
    if (result.outcome === "committed") this.#newest = staged.next;
    return result;
  }

  async isCommitted(staged: IcebergStaged): Promise<boolean> {
    const newest = await findVersion(this.#place.storage, this.#place.folder);
    return newest !== undefined && await isInHistory(this.#place, staged, newest);
  }

  stillFits(state: IcebergState, prepared: IcebergPrepared): boolean {
    return stillFits(state, prepared);
  }

  async discard(prepared: IcebergPrepared): Promise<void> {
    for (const path of prepared.paths) await this.#place.storage.delete(path);
  }

  async recordPosition(state: IcebergState, position: Position | undefined): Promise<CommitResult> {
    return await this.commit(this.stage(state, {
      snapshotId: newSnapshotId(),
      schema: currentSchema(state.metadata),
      lastColumnId: state.metadata["last-column-id"],
      baseSchemaId: state.metadata["current-schema-id"],
      truncate: false,
      dataFiles: [],
      deletes: [],
      removed: [],
      position,
      paths: [],
    }));
  }

  async scan(state: IcebergState): Promise<Scan> {
    return await scanState(this.#place, state, this.#deleted);
  }

  async #isNewest(version: number): Promise<boolean> {
    const { storage, folder } = this.#place;
    const [own, next] = await Promise.all(
      [version, version + 1].map((each) => storage.stat(metadataPath(folder, each))),
    );
    return own !== undefined && next === undefined;
  }

  /** Columns follow their source by themselves; key and partition cannot. */
  #refuseOther(state: IcebergState, definition: TableDefinition): void {
    const [partition] = currentSpec(state.metadata).fields;
    const source = currentSchema(state.metadata).fields.find(({ id }) => id === partition?.["source-id"])?.name;
    const sameKey = state.key.join("\0") === definition.key.join("\0");
    if (sameKey && source === definition.partitionByDay) return;
    const what = sameKey ? "partitioned by another column" : "keyed by other columns";
    throw new WeirError("unsupportedSchemaChange", `Table ${this.namespace}.${this.name} is there, ${what}`, {
      detail: { table: `${this.namespace}.${this.name}`, path: this.#place.folder },
    });
  }
}
