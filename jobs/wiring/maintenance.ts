/** What maintenance does to the tables of a lake: first what it finds to be done, then the doing, one table after another. */
import type { Progress } from "../../lib/cli/progress.ts";
import { toWeirError, type WeirError } from "../../lib/errors.ts";
import type { TableFolder } from "../../lib/query/lake_folders.ts";
import { reachFiles } from "../../lib/query/lake_tables.ts";
import { type PlannedMerge, TableUpkeep } from "../../lib/sink/table_upkeep.ts";
import type { UpkeepWorker } from "../../lib/sink/upkeep_worker.ts";
import type { Storage } from "../../lib/storage/storage.ts";
import { IcebergTable } from "../../lib/table/iceberg/iceberg_table.ts";
import { PaimonTable } from "../../lib/table/paimon/paimon_table.ts";
import type { TableState } from "../../lib/table/lake_table.ts";
import type { TableMirrors, UpkeepPolicy, UpkeepTable } from "../../lib/table/upkeep.ts";
import { DeclaredMirrors } from "./lake_mirrors.ts";
import { keptTable, type KeptTableOptions } from "./kept_tables.ts";

/** What is wanted. */
export interface MaintenanceOptions {
  readonly storage: Storage;
  readonly places: readonly TableFolder[];
  readonly policy: UpkeepPolicy;
  /** Average size of a Paimon bucket from which more of them are advised, bytes. */
  readonly bucketBytes: number;
  readonly rescale: boolean;
  readonly removeOrphans: boolean;
  readonly worker: UpkeepWorker;
  readonly tables: Pick<KeptTableOptions, "connection" | "icebergCatalog">;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** What one table needs, as it stands. */
export interface TablePlan {
  readonly liveFiles: number;
  readonly liveBytes: number;
  /** The first merge; what follows depends on what it makes. */
  readonly merge: { readonly files: number; readonly bytes: number; readonly reason: string } | null;
  /** Small manifests that would become few. */
  readonly manifests: number;
  /** Partitions whose time has passed. */
  readonly partitions: { readonly partitions: number; readonly files: number; readonly bytes: number };
  readonly expire: { readonly snapshots: number; readonly files: number };
  readonly orphans: { readonly files: number; readonly bytes: number };
  /** More buckets, where those there are hold too much. */
  readonly rescale: { readonly buckets: number; readonly reason: string } | null;
}

/** What was done to one table. */
export interface TableWork {
  readonly merges: number;
  readonly mergedFiles: number;
  readonly mergedBytes: number;
  readonly rewrittenManifests: number;
  readonly expiredPartitions: number;
  readonly expiredSnapshots: number;
  readonly removedFiles: number;
  readonly removedOrphans: number;
  readonly buckets: number | null;
  readonly liveFiles: number;
}

/** A table, its plan and what came of it. */
export interface MaintainedTable {
  readonly format: TableFolder["format"];
  /** `namespace.table`. */
  readonly table: string;
  readonly plan: TablePlan | null;
  readonly work: TableWork | null;
  readonly error: WeirError | null;
}

/** Merges that others may overtake one after another before a table is left for another time. */
const mostOvertaken = 10;

/** The maintenance of some tables. */
export class Maintenance {
  readonly #options: MaintenanceOptions;
  readonly #tables: readonly OneTable[];

  constructor(options: MaintenanceOptions) {
    this.#options = options;
    this.#tables = options.places.map((place) => new OneTable(place, options));
  }

  /** Looks at every table. */
  async plan(): Promise<readonly MaintainedTable[]> {
    return await this.#each("planning", (table) => table.makePlan());
  }

  /** Does what was planned, table by table; fewer where the user stops it. */
  async work(): Promise<readonly MaintainedTable[]> {
    return await this.#each("maintaining", (table) => table.doWork());
  }

  async #each(doing: string, step: (table: OneTable) => Promise<void>): Promise<readonly MaintainedTable[]> {
    const { signal, progress } = this.#options;
    for (const [index, table] of this.#tables.entries()) {
      if (signal.aborted) break;
      const { format, table: name, error } = table.told;
      progress.update({ activity: `${doing} ${format} ${name} (${index + 1} of ${this.#tables.length})`, rows: 0 });
      if (error === null) await step(table).catch((thrown) => table.fail(thrown));
    }
    return this.#tables.map(({ told }) => told);
  }
}

class OneTable {
  readonly #options: MaintenanceOptions;
  readonly #place: TableFolder;
  readonly #table: UpkeepTable;
  readonly #upkeep: TableUpkeep;
  #told: MaintainedTable;

  constructor(place: TableFolder, options: MaintenanceOptions) {
    this.#options = options;
    this.#place = place;
    const { storage, policy, worker } = options;
    this.#table = keptTable(place, { ...options.tables, storage });
    const mirrors = this.#mirrorsOf(this.#table);
    this.#upkeep = new TableUpkeep({ table: this.#table, storage, policy, worker, mirrors });
    const { format, namespace, name } = place;
    this.#told = { format, table: `${namespace}.${name}`, plan: null, work: null, error: null };
  }

  get told(): MaintainedTable {
    return this.#told;
  }

  fail(thrown: unknown): void {
    this.#told = { ...this.#told, error: toWeirError(thrown, "internal", { table: this.#told.table }) };
  }

  /** Those that show the table: what they need stays, and their own past ends as the table's does. */
  #mirrorsOf(table: UpkeepTable): TableMirrors | undefined {
    if (!(table instanceof IcebergTable)) return undefined;
    const { storage, policy, tables: { connection }, progress } = this.#options;
    return new DeclaredMirrors(table, {
      ...{ storage, connection, keepMs: policy.keepSnapshotsMs },
      onTrouble: (format, { message }) =>
        progress.note(`the ${format} mirror of ${table.namespace}.${table.name} stays as it is: ${message}`),
    });
  }

  async makePlan(): Promise<void> {
    const state = await this.#table.load();
    const { storage, tables, progress } = this.#options;
    if (state !== undefined) await reachFiles(this.#place, state, { storage, ...tables });
    const merge = (await this.#upkeep.planned())?.plan;
    const { snapshots, unneeded } = await this.#upkeep.expire(true);
    const orphans = await this.#upkeep.orphans();
    const { files, bytes } = await this.#live();
    const rescale = (await this.#planRescale())?.plan;
    if (state !== undefined && this.#table.isKeptByOthers?.(state)) {
      const { table } = this.#told;
      progress.note(
        `${table} says gc.enabled is false: its old snapshots and files are left to its catalog`,
      );
    }
    this.#told = {
      ...this.#told,
      plan: {
        liveFiles: files,
        liveBytes: Number(bytes),
        merge: merge === undefined ? null : { files: merge.files, bytes: Number(merge.bytes), reason: merge.reason },
        manifests: state === undefined ? 0 : this.#table.mergeableManifests?.(state) ?? 0,
        partitions: this.#passedPartitions(state),
        expire: { snapshots, files: unneeded.length },
        orphans: { files: orphans.length, bytes: orphans.reduce((sum, each) => sum + each.bytes, 0) },
        rescale: rescale === undefined ? null : { buckets: rescale.buckets, reason: rescale.reason },
      },
    };
  }

  #passedPartitions(state: TableState | undefined): TablePlan["partitions"] {
    const found = state?.position && this.#table.expiredPartitions?.(state, Date.now());
    if (!found) return { partitions: 0, files: 0, bytes: 0 };
    return { partitions: found.partitions, files: found.files, bytes: Number(found.bytes) };
  }

  async doWork(): Promise<void> {
    const buckets = this.#options.rescale ? await this.#rescale() : null;
    // What leaves is not merged first.
    const expiredPartitions = await this.#upkeep.expirePartitions();
    const merged = await this.#mergeAll();
    const rewrittenManifests = await this.#upkeep.rewriteManifests();
    const { snapshots: expiredSnapshots, unneeded } = await this.#upkeep.expire();
    const removedOrphans = this.#options.removeOrphans ? await this.#removeOrphans() : 0;
    const { files: liveFiles } = await this.#live();
    const counts = {
      expiredPartitions,
      expiredSnapshots,
      removedFiles: unneeded.length,
      removedOrphans,
      buckets,
      liveFiles,
    };
    this.#told = { ...this.#told, work: { ...merged, rewrittenManifests, ...counts } };
  }

  async #mergeAll(): Promise<Pick<TableWork, "merges" | "mergedFiles" | "mergedBytes">> {
    let [merges, mergedFiles, mergedBytes] = [0, 0, 0];
    for (let overtaken = 0; overtaken < mostOvertaken && !this.#options.signal.aborted;) {
      const planned = await this.#upkeep.planned();
      if (planned === undefined) break;
      if (await this.#merge(planned)) {
        merges++;
        mergedFiles += planned.plan.files;
        mergedBytes += Number(planned.plan.bytes);
        overtaken = 0;
      } else overtaken++;
    }
    return { merges, mergedFiles, mergedBytes };
  }

  async #merge(planned: PlannedMerge): Promise<boolean> {
    return await (await this.#upkeep.merge(planned)).land();
  }

  async #planRescale() {
    if (!(this.#table instanceof PaimonTable)) return undefined;
    const { bucketBytes, policy: { targetFileBytes } } = this.#options;
    const state = await this.#table.load();
    const plan = state?.position && this.#table.planRescale(state, { bucketBytes, targetFileBytes });
    return plan && { plan, state };
  }

  /** The buckets that the table has now, where it got more. */
  async #rescale(): Promise<number | null> {
    const planned = await this.#planRescale();
    return planned !== undefined && await this.#merge(planned) ? planned.plan.buckets : null;
  }

  async #removeOrphans(): Promise<number> {
    const orphans = await this.#upkeep.orphans();
    for (const { path } of orphans) await this.#options.storage.delete(path);
    return orphans.length;
  }

  async #live(): Promise<{ readonly files: number; readonly bytes: bigint }> {
    const state = await this.#table.load();
    return state === undefined ? { files: 0, bytes: 0n } : this.#table.liveFiles(state);
  }
}
