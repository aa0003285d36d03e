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
import { scannedRows } from "../changed_rows.ts";
import type { ChangedRows, HistoricTable, KeptSnapshot } from "../lake_table.ts";
import { largestFile } from "../largest_file.ts";
import type { PublishedSnapshot } from "../published_table.ts";
import { requireSameKey } from "../same_key.ts";
import type { Expiry, ExpiryOptions, LiveFiles, UpkeepPolicy, UpkeepTable } from "../upkeep.ts";
import { combineParts } from "./combine_parts.ts";
import type { MergePlan } from "../merging/merge_plan.ts";
import { planCompaction } from "./compaction_plan.ts";
import { DeletedRows } from "../deleted_rows/deleted_rows.ts";
import { stageExpiry } from "./expire_snapshots.ts";
import { FileCatalog } from "./file_catalog.ts";
import { keptSnapshots, stateDifference } from "./history.ts";
import { loadState, type TablePlace } from "./load_state.ts";
import { currentSchema } from "./metadata.ts";
import { mergeFiles } from "./merge_files.ts";
import { newTable } from "./new_table.ts";
import { prepareChange } from "./prepare_change.ts";
import { type IcebergPrepared, newSnapshotId, progressOf } from "./prepared_change.ts";
import { mirroredAs, ownProperties } from "./properties.ts";
import { publishedSnapshot } from "./published_snapshot.ts";
import { rebaseMerge } from "./rebase_merge.ts";
import { referencedFiles } from "./reachable_files.ts";
import { type NewRef, withoutRef, withRef } from "./refs.ts";
import { scanRows, scanState } from "./scan_sql.ts";
import { mergeableManifests } from "./stage_manifests.ts";
import { type IcebergStaged, stageCommit, stageMetadata, type StagePlace } from "./stage_commit.ts";
import { countRows, type IcebergState } from "./state.ts";
import { stillFits } from "./still_fits.ts";
import type { TableCatalog } from "./table_catalog.ts";
import { type PointInHistory, stateAt } from "./time_travel.ts";
import { SnapshotFiles } from "./unneeded_files.ts";

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
  /** Where its versions are kept. Default: files in its folder. */
  readonly catalog?: TableCatalog;
}

/** One Iceberg table. See {@linkcode UpkeepTable} for what each call promises. */
export class IcebergTable
  implements
    UpkeepTable<IcebergState, IcebergPrepared, IcebergStaged, MergePlan>,
    HistoricTable<IcebergState, IcebergPrepared, IcebergStaged> {
  readonly format = "iceberg";
  readonly namespace: string;
  readonly name: string;
  readonly #catalog: TableCatalog;
  readonly #formatVersion: 2 | 3 | undefined;
  readonly #deleted: DeletedRows;
  readonly #snapshotFiles = new SnapshotFiles();
  /** A catalog may keep a table that it made elsewhere: the folder is certain once the table is loaded. */
  #place: TablePlace & StagePlace;
  #newest: IcebergState | undefined;

  constructor(options: IcebergTableOptions) {
    this.namespace = options.namespace;
    this.name = options.name;
    this.#catalog = options.catalog ?? new FileCatalog(options);
    const { storage, connection, folder } = options;
    this.#place = { storage, connection, folder, isService: this.#catalog.isService };
    this.#formatVersion = options.formatVersion;
    this.#deleted = new DeletedRows(options.connection);
  }

  get location(): string {
    return this.#place.storage.uri(this.#place.folder);
  }

  async load(): Promise<IcebergState | undefined> {
    const known = this.#newest;
    const { folder } = this.#place;
    const knownVersion = known && { version: known.version, metadata: known.metadata, folder };
    const found = await this.#catalog.load(knownVersion);
    if (found === undefined || found === knownVersion) return this.#newest = found && known;
    this.#place = { ...this.#place, folder: found.folder };
    // A table made anew under the same name shares nothing with the one before.
    const isSame = known?.metadata["table-uuid"] === found.metadata["table-uuid"];
    return this.#newest = await loadState(this.#place, { ...found, ...(isSame ? { known: known! } : {}) });
  }

  async create(definition: TableDefinition): Promise<IcebergState> {
    const formatVersion = this.#formatVersion ?? (definition.key.length > 0 ? 3 : 2);
    const metadata = newTable(definition, { formatVersion, location: this.location });
    const found = await this.load();
    if (found === undefined) await this.#catalog.create(metadata);
    const state = found ?? await this.load();
    if (state === undefined) {
      throw new WeirError("conflict", `Table ${this.namespace}.${this.name} left while it was made`);
    }
    requireSameKey(this, state, { definition, folder: this.#place.folder });
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
    const result = await this.#catalog.commit(staged);
    if (result.outcome !== "committed") return result;
    // Where another commit followed at once, the next load finds out.
    this.#newest = result.next ?? this.#newest;
    if (staged.snapshotId !== undefined) this.#snapshotFiles.released.set(staged.snapshotId, staged.released);
    return { outcome: "committed", snapshotId: result.snapshotId, rows: result.rows };
  }

  async isCommitted(staged: IcebergStaged): Promise<boolean> {
    return await this.#catalog.isCommitted(staged);
  }

  stillFits(state: IcebergState, prepared: IcebergPrepared): boolean {
    return stillFits(state, prepared);
  }

  async discard(prepared: IcebergPrepared): Promise<void> {
    for (const path of prepared.paths) await this.#place.storage.delete(path);
  }

  async recordPosition(state: IcebergState, position: Position | undefined): Promise<CommitResult> {
    return await this.commit(this.stage(state, { ...unchanged(state), position }));
  }

  mergeableManifests(state: IcebergState): number {
    return mergeableManifests(state);
  }

  async rewriteManifests(state: IcebergState): Promise<CommitResult> {
    return await this.commit(this.stage(state, { ...unchanged(state), ...progressOf(state), mergesManifests: true }));
  }

  async scan(state: IcebergState): Promise<Scan> {
    return await scanState(this.#place, state, this.#deleted);
  }

  async sample(state: IcebergState): Promise<Scan> {
    const largest = largestFile(state.files, ([, file]) => countRows([file]));
    return await this.scan({ ...state, files: new Map(largest === undefined ? [] : [largest]) });
  }

  liveFiles({ files }: IcebergState): LiveFiles {
    const bytes = files.values().reduce((sum, { entry }) => sum + entry.file.file_size_in_bytes, 0n);
    return { files: files.size, bytes };
  }

  planCompaction(state: IcebergState, policy: UpkeepPolicy): MergePlan | undefined {
    return planCompaction(state, policy);
  }

  async compact(state: IcebergState, plan: MergePlan, connection: Connection): Promise<IcebergPrepared> {
    return await mergeFiles(this.#place, { state, plan, connection });
  }

  async rebase(state: IcebergState, prepared: IcebergPrepared): Promise<IcebergPrepared | undefined> {
    return await rebaseMerge(this.#place, state, prepared);
  }

  async expire(
    state: IcebergState,
    policy: UpkeepPolicy,
    { nowMs, dryRun = false, keepFrom }: ExpiryOptions,
  ): Promise<Expiry> {
    if (this.isKeptByOthers(state)) return { snapshots: 0, unneeded: [] };
    const expiry = await stageExpiry(this.#place, state, { policy, nowMs, keepFrom, known: this.#snapshotFiles });
    if (expiry === undefined) return { snapshots: 0, unneeded: [] };
    const { snapshots, unneeded, kept, staged } = expiry;
    if (dryRun) return { snapshots, unneeded };
    const result = await this.commit(staged);
    if (result.outcome === "committed") this.#snapshotFiles.keepOnly(kept);
    return { snapshots, unneeded, result };
  }

  /** Catalogs with a history of their own show the newest snapshot alone, and need files of others. */
  isKeptByOthers(state: IcebergState): boolean {
    return state.metadata.properties["gc.enabled"] === "false" && this.mirroredAs(state).length === 0;
  }

  async referenced(state: IcebergState): Promise<ReadonlySet<string>> {
    return await referencedFiles(this.#place, state);
  }

  /** A version as other formats publish it; footers of files are read over a connection of its own, if any need be. */
  published(state: IcebergState, connection: Connection): PublishedSnapshot {
    return publishedSnapshot({ ...this.#place, connection }, state);
  }

  /** Formats that show the table out of its files, as it says itself. */
  mirroredAs({ metadata }: IcebergState): readonly string[] {
    return mirroredAs(metadata);
  }

  /** Says which formats show the table. While one does, other makers' expiry is told to leave its files alone. */
  async setMirroredAs(state: IcebergState, formats: readonly string[]): Promise<CommitResult> {
    const said = { [ownProperties.mirroredAs]: formats.join(","), "gc.enabled": "false" };
    return await this.commit(
      stageMetadata(this.#place, state, (metadata) => {
        const { [ownProperties.mirroredAs]: _, "gc.enabled": __, ...kept } = metadata.properties;
        return { ...metadata, properties: { ...kept, ...(formats.length === 0 ? {} : said) } };
      }),
    );
  }

  /** Makes or moves a branch or tag. Throws `RangeError` where the name or the snapshot forbids it. */
  async setRef(state: IcebergState, name: string, ref: NewRef): Promise<CommitResult> {
    return await this.commit(stageMetadata(this.#place, state, (metadata) => withRef(metadata, name, ref)));
  }

  /** Drops a branch or tag. Throws `RangeError` for `main`, or where there is no such name. */
  async dropRef(state: IcebergState, name: string): Promise<CommitResult> {
    return await this.commit(stageMetadata(this.#place, state, (metadata) => withoutRef(metadata, name)));
  }

  /** The table as it was, for `scan` alone. Undefined where its history does not reach so far back. */
  async at(newest: IcebergState, point: PointInHistory): Promise<IcebergState | undefined> {
    return await stateAt(this.#place, newest, point);
  }

  history(state: IcebergState): Promise<readonly KeptSnapshot[]> {
    return Promise.resolve(keptSnapshots(state.metadata));
  }

  async stateAt(newest: IcebergState, snapshotId: bigint): Promise<IcebergState | undefined> {
    return await this.at(newest, { snapshotId });
  }

  async changedRows(older: IcebergState, newer: IcebergState): Promise<ChangedRows> {
    const { before, after, deleted } = stateDifference(older, newer);
    const scans = [() => this.scan(before)];
    if (deleted.length > 0) {
      scans.push(() => scanRows(this.#place, deleted, currentSchema(newer.metadata).fields));
    }
    return await scannedRows(scans, () => this.scan(after));
  }
}

/** A change of nothing, which takes the recorded position away. */
function unchanged({ metadata }: IcebergState): IcebergPrepared {
  return {
    snapshotId: newSnapshotId(),
    schema: currentSchema(metadata),
    lastColumnId: metadata["last-column-id"],
    baseSchemaId: metadata["current-schema-id"],
    truncate: false,
    specId: metadata["default-spec-id"],
    dataFiles: [],
    deletes: [],
    removed: [],
    position: undefined,
    paths: [],
  };
}
