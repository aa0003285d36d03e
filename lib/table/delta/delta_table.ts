/**
 * A Delta Lake table (Delta protocol), written without Spark.
 *
 * Promise: a commit puts rows, deletes, schema and position in one atomic step; a reader of the format sees all of it or
 * nothing. The table claims the least protocol that what it uses needs. Commits of other writers are followed; where one
 * touched what a change of ours builds on, the change is prepared again.
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
import type { MergePlan } from "../merging/merge_plan.ts";
import { mirrorNotWritten } from "../published_table.ts";
import { requireSameKey } from "../same_key.ts";
import type { Expiry, ExpiryOptions, LiveFiles, UpkeepPolicy, UpkeepTable } from "../upkeep.ts";
import { formatActions } from "./actions.ts";
import { combineParts } from "./combine_parts.ts";
import { expireVersions, referencedFiles } from "./expiry.ts";
import { hasFiles, keptVersions, type KnownVersions, stateDifference } from "./history.ts";
import { mergeFiles, planCompaction, rebaseMerge } from "./merge_files.ts";
import { tidyLog } from "./tidy_log.ts";
import { loadState, type TablePlace } from "./load_state.ts";
import { commitPath, hasVersion } from "./log_file.ts";
import { type DeleteMode, newTable, type NewTableOptions } from "./new_table.ts";
import { prepareChange } from "./prepare_change.ts";
import type { DeltaPrepared } from "./prepared_change.ts";
import { isOurs, putCommit } from "./put_commit.ts";
import { scanState } from "./scan_sql.ts";
import { type DeltaStaged, stageCommit } from "./stage_commit.ts";
import { type DeltaState, isMirror, liveRows } from "./state.ts";
import { stillFits } from "./still_fits.ts";
import { type VacuumOptions, type VacuumReport, vacuumTable } from "./vacuum.ts";

/** Where and how a table is kept. */
export interface DeltaTableOptions {
  readonly storage: Storage;
  /** Used by this table alone while one of its calls runs. */
  readonly connection: Connection;
  /** Folder of the table below the storage root. */
  readonly folder: string;
  readonly namespace: string;
  readonly name: string;
  /** Of a table that is made, where it has a key. Default `vectors`. One that exists keeps its own. */
  readonly deletes?: DeleteMode;
  /** Table properties of a table that is made, over those that every new table has. */
  readonly properties?: Readonly<Record<string, string>>;
}

/** One Delta table. See {@linkcode UpkeepTable} and {@linkcode HistoricTable} for what each call promises. */
export class DeltaTable
  implements
    UpkeepTable<DeltaState, DeltaPrepared, DeltaStaged, MergePlan>,
    HistoricTable<DeltaState, DeltaPrepared, DeltaStaged> {
  readonly format = "delta";
  readonly namespace: string;
  readonly name: string;
  readonly location: string;
  readonly #place: TablePlace;
  readonly #newTable: NewTableOptions;
  readonly #deleted: DeletedRows;
  readonly #versions: KnownVersions = new Map();
  #newest: DeltaState | undefined;

  constructor(options: DeltaTableOptions) {
    this.namespace = options.namespace;
    this.name = options.name;
    this.location = options.storage.uri(options.folder);
    this.#place = options;
    const { deletes = "vectors", properties = {} } = options;
    this.#newTable = { deletes, properties };
    this.#deleted = new DeletedRows(options.connection);
  }

  async load(): Promise<DeltaState | undefined> {
    const known = this.#newest;
    const isThere = known !== undefined && await hasVersion(this.#place, known.version);
    if (isThere && !await hasVersion(this.#place, known.version + 1)) return known;
    return this.#newest = await loadState(this.#place, { known: isThere ? known : undefined });
  }

  /**
   * The table as an earlier version left it, for {@linkcode DeltaTable.scan}.
   *
   * @throws {WeirError} `tableUnreadable` where the version is not there, or its log was cleaned up.
   */
  async loadVersion(version: number): Promise<DeltaState | undefined> {
    return await loadState(this.#place, { version });
  }

  async create(definition: TableDefinition): Promise<DeltaState> {
    const { protocol, metadata } = newTable(definition, this.#newTable);
    const info = {
      timestamp: metadata.createdTime,
      operation: "CREATE TABLE",
      operationParameters: {},
      engineInfo: "weir",
    };
    const found = await this.load();
    if (found === undefined) {
      const text = formatActions([{ commitInfo: info }, { protocol }, { metaData: metadata }]);
      await this.#place.storage.putIfAbsent(commitPath(this.#place.folder, 0), new TextEncoder().encode(text));
    }
    const state = found ?? await this.load();
    if (state === undefined) {
      throw new WeirError("conflict", `Table ${this.namespace}.${this.name} left while it was made`);
    }
    requireSameKey(this, state, { definition, folder: this.#place.folder });
    return state;
  }

  async prepare(state: DeltaState, change: TableChange): Promise<DeltaPrepared> {
    this.#refuseMirror(state);
    return await prepareChange(this.#place, state, change);
  }

  combine(parts: readonly [DeltaPrepared, ...DeltaPrepared[]]): DeltaPrepared {
    return combineParts(parts);
  }

  stage(state: DeltaState, prepared: DeltaPrepared): DeltaStaged {
    return stageCommit(this.#place.folder, state, prepared);
  }

  async commit(staged: DeltaStaged): Promise<CommitResult> {
    const result = await putCommit(this.#place, staged);
    if (result.outcome === "committed") {
      this.#newest = staged.isCheckpointDue ? await tidyLog(this.#place, staged.next) : staged.next;
    }
    return result;
  }

  async isCommitted(staged: DeltaStaged): Promise<boolean> {
    return await isOurs(this.#place, staged);
  }

  stillFits(state: DeltaState, prepared: DeltaPrepared): boolean {
    return stillFits(state, prepared);
  }

  async discard(prepared: DeltaPrepared): Promise<void> {
    for (const path of prepared.paths) await this.#place.storage.delete(path);
  }

  async recordPosition(state: DeltaState, position: Position | undefined): Promise<CommitResult> {
    this.#refuseMirror(state);
    const { protocol, metadata } = state;
    const description = { protocol, metadata };
    return await this.commit(this.stage(state, {
      base: description,
      target: description,
      truncate: false,
      added: [],
      replaced: [],
      position,
      paths: [],
    }));
  }

  async scan(state: DeltaState): Promise<Scan> {
    return await scanState(this.#place, state, this.#deleted);
  }

  async sample(state: DeltaState): Promise<Scan> {
    const largest = largestFile(state.files, ([, file]) => liveRows(file));
    return await this.scan({ ...state, files: new Map(largest === undefined ? [] : [largest]) });
  }

  async history(state: DeltaState): Promise<readonly KeptSnapshot[]> {
    return await keptVersions(this.#place, state, this.#versions);
  }

  async stateAt(newest: DeltaState, snapshotId: bigint): Promise<DeltaState | undefined> {
    const version = Number(snapshotId);
    if (version === newest.version) return newest;
    if (!this.#versions.has(version)) await this.history(newest);
    const state = this.#versions.has(version) ? await this.#loadKept(version) : undefined;
    return state !== undefined && await hasFiles(this.#place, state, newest) ? state : undefined;
  }

  /** Deletion vectors leave as files of rows do: a version that lost one is kept no more. */
  async #loadKept(version: number): Promise<DeltaState | undefined> {
    try {
      return await this.loadVersion(version);
    } catch (thrown) {
      const path = thrown instanceof WeirError && thrown.kind === "tableUnreadable" ? thrown.detail.path : undefined;
      if (path !== undefined && await this.#place.storage.stat(path) === undefined) return undefined;
      throw thrown;
    }
  }

  async changedRows(older: DeltaState, newer: DeltaState): Promise<ChangedRows> {
    const { before, after } = stateDifference(older, newer);
    return await scannedRows([() => this.scan(before)], () => this.scan(after));
  }

  liveFiles({ files }: DeltaState): LiveFiles {
    return { files: files.size, bytes: files.values().reduce((sum, { add }) => sum + BigInt(add.size), 0n) };
  }

  planCompaction(state: DeltaState, policy: UpkeepPolicy): MergePlan | undefined {
    return isMirror(state) ? undefined : planCompaction(state, policy);
  }

  async compact(state: DeltaState, plan: MergePlan, connection: Connection): Promise<DeltaPrepared> {
    return await mergeFiles(this.#place, { state, plan, connection });
  }

  async rebase(state: DeltaState, prepared: DeltaPrepared): Promise<DeltaPrepared | undefined> {
    return await rebaseMerge(this.#place, state, prepared);
  }

  async expire(
    state: DeltaState,
    policy: UpkeepPolicy,
    { nowMs, dryRun = false }: ExpiryOptions,
  ): Promise<Expiry> {
    return await expireVersions(this.#place, state, { policy, nowMs, dryRun });
  }

  async referenced(state: DeltaState, policy?: UpkeepPolicy): Promise<ReadonlySet<string>> {
    return await referencedFiles(this.#place, state, policy);
  }

  /** Deletes files that no version within the retention needs; by default only names them. */
  async vacuum(options: VacuumOptions = {}): Promise<VacuumReport> {
    const state = await this.load();
    return state === undefined
      ? { paths: [], bytes: 0, isDryRun: options.dryRun ?? true }
      : await vacuumTable(this.#place, state, options);
  }

  /** Its rows are those of another table, which alone is written. */
  #refuseMirror(state: DeltaState): void {
    if (isMirror(state)) throw mirrorNotWritten(this, this.#place.folder);
  }
}
