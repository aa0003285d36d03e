/**
 * A table in Apache Paimon's file-system layout, written without Java: keyed tables with fixed buckets and sorted level-0
 * files, tables without a key as appended files, both in partitions or whole.
 *
 * Promise: a change and its position become visible together in one snapshot, whose file name is taken atomically; what a
 * stopped commit left behind is never read. Every file is written the way Paimon 1.x and pypaimon read it.
 */
import type { Position } from "../../change/position.ts";
import type { CommitResult, Scan, TableChange } from "../../change/sink.ts";
import type { TableDefinition } from "../../dataset/dataset.ts";
import type { Connection } from "../../engine/connection.ts";
import { WeirError } from "../../errors.ts";
import type { Storage } from "../../storage/storage.ts";
import { scannedRows } from "../changed_rows.ts";
import { DeletedRows } from "../deleted_rows/deleted_rows.ts";
import type { ChangedRows, HistoricTable, KeptSnapshot } from "../lake_table.ts";
import { largestFile } from "../largest_file.ts";
import type { ExpiredPartitions, Expiry, LiveFiles, UpkeepPolicy, UpkeepTable } from "../upkeep.ts";
import { mirrorNotWritten } from "../published_table.ts";
import { isPut, putCommit, putHints } from "./commit.ts";
import { compactFiles } from "./compaction.ts";
import { type PaimonCompactionPlan, planCompaction } from "./compaction_plan.ts";
import { expireSnapshots } from "./expiry.ts";
import { referencedPaths, snapshotPaths } from "./file_references.ts";
import { changedRows, SnapshotHistory } from "./history.ts";
import { tableLayout } from "./layout.ts";
import { emptyState, loadState, stateOf } from "./load_state.ts";
import { MetadataReader } from "./metadata_reader.ts";
import { expiredPartitions, prepareExpiry, retentionOptions } from "./partition_expiry.ts";
import { prepareChange, type PrepareOptions } from "./prepare.ts";
import { combineChanges, fits, type PaimonPrepared, type PreparedChange, type PreparedRewrite } from "./prepared.ts";
import { isMirror, isMirrored, mirrorDifference, scanMirror } from "./scan_mirror.ts";
import { type PaimonRescalePlan, planRescale, rescale, type RescaleLimits, rescaleNewer } from "./rescale.ts";
import { scanState } from "./scan_sql.ts";
import { encodeSchema, firstSchema, sameColumns } from "./schema.ts";
import { type StagedCommit, type StageOptions, stagePosition, stagePrepared } from "./stage.ts";
import type { LiveFile, PaimonState } from "./table_state.ts";
import { createTag, listTags, type Tag } from "./tags.ts";
import { type PointInHistory, snapshotAt } from "./time_travel.ts";

/** Which table, and what it is written with. */
export interface PaimonTableOptions {
  readonly storage: Storage;
  readonly connection: Connection;
  /** Warehouse folder below the storage root, e.g. `paimon`. */
  readonly folder: string;
  /** Paimon database. */
  readonly namespace: string;
  readonly name: string;
  /** Buckets of a keyed table that is created; an existing table keeps its own. Default 2: one file a core and commit. */
  readonly buckets?: number;
  /** Days that the partitions of a table that is created stay, where it has any; they are told by a date column. Default: for good. */
  readonly partitionKeepDays?: number | undefined;
  /** Whose commits carry the position. A compactor must use another. Default `weir`. */
  readonly commitUser?: string;
  /** Clock, epoch milliseconds. Default the system's. */
  readonly now?: () => number;
}

/** What {@linkcode PaimonTable.compact} can be asked for. */
export type PaimonPlan = PaimonCompactionPlan | PaimonRescalePlan;

/** A Paimon table. */
export class PaimonTable
  implements
    UpkeepTable<PaimonState, PaimonPrepared, StagedCommit, PaimonPlan>,
    HistoricTable<PaimonState, PaimonPrepared, StagedCommit> {
  readonly format = "paimon";
  readonly hasOwnFileColumns = true;
  readonly namespace: string;
  readonly name: string;
  readonly location: string;
  readonly #options: PaimonTableOptions;
  readonly #reader: MetadataReader;
  /** The newest state this instance has seen. */
  #known: PaimonState | undefined;
  readonly #history: SnapshotHistory;
  readonly #deleted: DeletedRows;
  /** Files that tags keep, by tag. */
  readonly #knownTags = new Map<string, ReadonlySet<string>>();

  constructor(options: PaimonTableOptions) {
    const buckets = options.buckets ?? 1;
    if (!Number.isInteger(buckets) || buckets < 1) {
      throw new RangeError(`Cannot make a table of ${buckets} buckets: expected a whole number from 1`);
    }
    this.#options = options;
    this.namespace = options.namespace;
    this.name = options.name;
    this.#reader = new MetadataReader(options.storage, tableLayout(options.folder, options));
    this.#deleted = new DeletedRows(options.connection);
    this.#history = new SnapshotHistory(this.#reader);
    this.location = options.storage.uri(this.#reader.layout.folder);
  }

  async load(): Promise<PaimonState | undefined> {
    if (this.#known?.snapshotId !== undefined && await this.#isNewest(this.#known.snapshotId)) return this.#known;
    this.#known = await loadState(this.#reader, this.#commitUser);
    if (this.#known?.snapshot !== undefined) await this.#mendHint(this.#known.snapshot.id);
    return this.#known;
  }

  async create(definition: TableDefinition): Promise<PaimonState> {
    const { buckets = 1, partitionKeepDays } = this.#options;
    const schema = firstSchema(definition, {
      buckets,
      timeMillis: this.#now(),
      ...(partitionKeepDays === undefined ? {} : { partitionOptions: retentionOptions(definition, partitionKeepDays) }),
    });
    const path = this.#reader.layout.schema(0);
    if (await this.#options.storage.putIfAbsent(path, encodeSchema(schema))) {
      this.#known = emptyState(schema);
      return this.#known;
    }
    const found = await this.load();
    if (found === undefined || !sameColumns(found.schema, schema)) {
      const table = `${this.namespace}.${this.name}`;
      throw new WeirError("precondition", `A Paimon table ${table} with other columns is there already`, {
        detail: { table, path },
        advice: "Use another --lake, or remove the table's folder",
      });
    }
    return found;
  }

  async prepare(state: PaimonState, change: TableChange): Promise<PreparedChange> {
    this.#refuseMirror(state);
    return await prepareChange(state, change, this.#prepareOptions());
  }

  combine(parts: readonly [PaimonPrepared, ...PaimonPrepared[]]): PreparedChange {
    return combineChanges(parts);
  }

  stage(state: PaimonState, prepared: PaimonPrepared): StagedCommit {
    return stagePrepared(state, prepared, this.#stageOptions());
  }

  async commit(staged: StagedCommit): Promise<CommitResult> {
    const { result, next } = await putCommit(staged, { storage: this.#options.storage, reader: this.#reader });
    this.#known = next;
    return result;
  }

  async isCommitted(staged: StagedCommit): Promise<boolean> {
    return await isPut(staged, this.#reader);
  }

  stillFits(state: PaimonState, prepared: PaimonPrepared): boolean {
    return fits(state, prepared);
  }

  async discard(prepared: PaimonPrepared): Promise<void> {
    for (const path of prepared.paths) await this.#options.storage.delete(path);
  }

  async recordPosition(state: PaimonState, position: Position | undefined): Promise<CommitResult> {
    this.#refuseMirror(state);
    return await this.commit(stagePosition(state, position, this.#stageOptions()));
  }

  async scan(state: PaimonState): Promise<Scan> {
    const place = { storage: this.#options.storage, layout: this.#reader.layout };
    return isMirrored(state) ? await scanMirror(state, place, this.#deleted) : await scanState(state, place);
  }

  async sample(state: PaimonState): Promise<Scan> {
    const present = ({ rows, deletedRows, deleted }: LiveFile) =>
      rows - deletedRows - BigInt(deleted?.positions.count ?? 0);
    const largest = largestFile(state.files, present);
    return await this.scan({ ...state, files: largest === undefined ? [] : [largest] });
  }

  liveFiles({ files }: PaimonState): LiveFiles {
    return { files: files.length, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0n) };
  }

  planCompaction(state: PaimonState, policy: UpkeepPolicy): PaimonCompactionPlan | undefined {
    return isMirror(state) ? undefined : planCompaction(state, policy);
  }

  async compact(state: PaimonState, plan: PaimonPlan, connection: Connection): Promise<PreparedRewrite> {
    const options = { ...this.#prepareOptions(), connection };
    return "buckets" in plan ? await rescale(state, plan, options) : await compactFiles(state, plan, options);
  }

  async rebase(state: PaimonState, prepared: PaimonPrepared): Promise<PaimonPrepared | undefined> {
    const fitting = await rescaleNewer(state, prepared, this.#prepareOptions());
    if (this.stillFits(state, fitting)) return fitting;
    if (fitting !== prepared) await this.discard(fitting);
    return undefined;
  }

  /**
   * The rescale that the table needs, to be given to {@linkcode compact} as any plan: the table in more buckets, once
   * they hold more than `bucketBytes` each. Undefined where it needs none.
   */
  planRescale(state: PaimonState, limits: RescaleLimits): PaimonRescalePlan | undefined {
    return planRescale(state, limits);
  }

  expiredPartitions(state: PaimonState, nowMs: number): ExpiredPartitions {
    return expiredPartitions(state, nowMs);
  }

  async expirePartitions(state: PaimonState, nowMs: number): Promise<CommitResult | undefined> {
    const prepared = await prepareExpiry(state, { nowMs, reader: this.#reader });
    return prepared && await this.commit(this.stage(state, prepared));
  }

  async expire(
    state: PaimonState,
    policy: UpkeepPolicy,
    options: { readonly nowMs: number; readonly dryRun?: boolean },
  ): Promise<Expiry> {
    const { nowMs, dryRun = false } = options;
    return await expireSnapshots(state, { ...this.#metadata(), policy, nowMs, dryRun, knownTags: this.#knownTags });
  }

  async referenced(state: PaimonState): Promise<ReadonlySet<string>> {
    return await referencedPaths(this.#reader, { newest: state.snapshotId, known: this.#knownTags });
  }

  /** The table as it was, for {@linkcode scan} alone. Undefined where its history does not reach so far back. */
  async at(_newest: PaimonState, point: PointInHistory): Promise<PaimonState | undefined> {
    const snapshot = await snapshotAt(this.#reader, point);
    return snapshot && await stateOf(this.#reader, { snapshot, commitUser: this.#commitUser });
  }

  async history(state: PaimonState): Promise<readonly KeptSnapshot[]> {
    return await this.#history.upTo(state.snapshotId);
  }

  async stateAt(_newest: PaimonState, snapshotId: bigint): Promise<PaimonState | undefined> {
    const snapshot = await this.#reader.snapshot(snapshotId);
    return snapshot === undefined ? undefined : await stateOf(this.#reader, { snapshot, commitUser: this.#commitUser });
  }

  async changedRows(older: PaimonState, newer: PaimonState): Promise<ChangedRows> {
    const place = { storage: this.#options.storage, layout: this.#reader.layout };
    if (!isMirrored(older) && !isMirrored(newer)) return await changedRows(older, newer, place);
    const { before, after } = mirrorDifference(older, newer);
    return await scannedRows([() => this.scan(before)], () => this.scan(after));
  }

  /** The table's tags, by name. */
  async tags(): Promise<readonly Tag[]> {
    return await listTags(this.#reader);
  }

  /** Keeps a snapshot's files under a name. Throws `precondition` where the name is taken or the snapshot is not there. */
  async createTag(name: string, snapshotId: bigint): Promise<void> {
    await createTag(this.#reader, { name, snapshotId, storage: this.#options.storage });
  }

  /**
   * Drops a tag. One that is not there is no error.
   *
   * @returns Paths of the files that it alone kept: the caller removes them.
   */
  async dropTag(state: PaimonState, name: string): Promise<readonly string[]> {
    const snapshot = await this.#reader.tag(name);
    if (snapshot === undefined) return [];
    const paths = await snapshotPaths(this.#reader, snapshot);
    await this.#options.storage.delete(this.#reader.layout.tag(name));
    const referenced = await this.referenced(state);
    return [...paths].filter((path) => !referenced.has(path));
  }

  /** Its rows are those of another table, which alone is written. */
  #refuseMirror(state: PaimonState): void {
    if (isMirror(state)) throw mirrorNotWritten(this, this.#reader.layout.folder);
  }

  #metadata(): { readonly storage: Storage; readonly reader: MetadataReader } {
    return { storage: this.#options.storage, reader: this.#reader };
  }

  async #isNewest(id: bigint): Promise<boolean> {
    const { layout } = this.#reader;
    const { storage } = this.#options;
    return await storage.stat(layout.snapshot(id + 1n)) === undefined &&
      await storage.stat(layout.snapshot(id)) !== undefined;
  }

  /** A commit that was stopped before its hints leaves them behind; pypaimon 1.x believes them. Who may only read leaves it so. */
  async #mendHint(newest: bigint): Promise<void> {
    const { storage } = this.#options;
    const hint = await storage.read(this.#reader.layout.latestHint);
    if (hint === undefined || new TextDecoder().decode(hint).trim() !== String(newest)) {
      await putHints({ id: newest }, { storage, reader: this.#reader }).catch(() => {});
    }
  }

  #prepareOptions(): PrepareOptions {
    const { storage, connection } = this.#options;
    return { storage, connection, layout: this.#reader.layout, reader: this.#reader, nowMs: this.#now() };
  }

  #stageOptions(): StageOptions {
    return { commitUser: this.#commitUser, nowMs: this.#now() };
  }

  get #commitUser(): string {
    return this.#options.commitUser ?? "weir";
  }

  #now(): number {
    return (this.#options.now ?? Date.now)();
  }
}
