/**
 * What upkeep does to one table, step by step.
 *
 * Promise: each step is committed as a change is, on the table's newest state; what a commit of rows got in the way of is
 * given up and its files removed. Files leave the disk only after the commit that stopped needing them is certain.
 */
import { WeirError } from "../errors.ts";
import { failPoint } from "../fail_point.ts";
import type { Storage, StoredObject } from "../storage/storage.ts";
import type { TableState } from "../table/lake_table.ts";
import type { CompactionPlan, Expiry, TableMirrors, UpkeepPolicy, UpkeepTable } from "../table/upkeep.ts";
import { findOrphans } from "../table/orphans.ts";
import { TableCommitter } from "./table_committer.ts";
import type { UpkeepWorker } from "./upkeep_worker.ts";

/** What upkeep of a table works with. */
export interface TableUpkeepOptions {
  readonly table: UpkeepTable;
  readonly storage: Storage;
  readonly policy: UpkeepPolicy;
  readonly worker: UpkeepWorker;
  /** Of the sink that writes the table in this process. Default: one of its own, for a table that others may write. */
  readonly committer?: TableCommitter;
  /** Those who show the table in other formats. Default: nobody. */
  readonly mirrors?: TableMirrors | undefined;
  /** Epoch milliseconds. Default: the clock. */
  readonly now?: () => number;
}

/** A compaction that is worth its cost, and the state whose files it merges. */
export interface PlannedMerge {
  readonly plan: CompactionPlan;
  readonly state: TableState;
}

/** Merged files on their way into the table. */
export interface Merged {
  readonly plan: CompactionPlan;
  /** Commits them; false where rows that came meanwhile were in the way. To be called on the writer's turn, once. */
  land(): Promise<boolean>;
}

/** The upkeep of one table. */
export class TableUpkeep {
  readonly #options: TableUpkeepOptions;
  readonly #committer: TableCommitter;

  constructor(options: TableUpkeepOptions) {
    this.#options = options;
    this.#committer = options.committer ?? new TableCommitter(options.table, { isWriter: false });
  }

  /** The compaction that is worth its cost now. A table without a position waits for a copy that replaces all it holds. */
  async planned(): Promise<PlannedMerge | undefined> {
    const state = await this.#committer.current();
    if (state?.position === undefined) return undefined;
    const plan = this.#options.table.planCompaction(state, this.#options.policy);
    return plan && { plan, state };
  }

  /** Writes the merged files of a plan. May run beside commits of rows. */
  async merge({ plan, state }: PlannedMerge): Promise<Merged> {
    const { table, worker } = this.#options;
    const prepared = await worker.run((connection) => table.compact(state, plan, connection));
    await failPoint("upkeep.afterMerge");
    const fit = async (fresh: typeof state, merged: unknown) => {
      const fitting = fresh.position === undefined ? undefined : await table.rebase(fresh, merged);
      if (fitting === undefined) await table.discard(merged);
      return fitting;
    };
    return { plan, land: () => this.#committer.publish(state, { prepared, fit }) };
  }

  /** Makes small files of metadata fewer, and gives how many there were. */
  async rewriteManifests(): Promise<number> {
    const { table } = this.#options;
    let manifests = 0;
    const isDone = await this.#committer.settle({
      attempt: async (state) => {
        manifests = table.mergeableManifests?.(state) ?? 0;
        return manifests === 0 ? undefined : await table.rewriteManifests?.(state);
      },
      arrived: (state) => (table.mergeableManifests?.(state) ?? 0) === 0,
    });
    return isDone ? manifests : 0;
  }

  /** Takes partitions out of the table whose time has passed; gives how many. One without a position waits, as merges do. */
  async expirePartitions(): Promise<number> {
    const { table } = this.#options;
    const found = (state: TableState) => table.expiredPartitions?.(state, this.#nowMs()).partitions ?? 0;
    let partitions = 0;
    const isDone = await this.#committer.settle({
      attempt: async (state) => {
        partitions = state.position === undefined ? 0 : found(state);
        return partitions === 0 ? undefined : await table.expirePartitions?.(state, this.#nowMs());
      },
      arrived: (state) => found(state) === 0,
    });
    return isDone ? partitions : 0;
  }

  /** Takes old snapshots out of the table, and then removes the files that nothing kept refers to; it gives those. */
  async expire(dryRun = false): Promise<Expiry> {
    const { table, storage, policy } = this.#options;
    const nothing: Expiry = { snapshots: 0, unneeded: [] };
    let expiry = nothing;
    if (!dryRun) await this.#options.mirrors?.expire(policy, this.#nowMs());
    const isDone = await this.#committer.settle({
      attempt: async (state) => {
        const nowMs = this.#nowMs();
        const keepFrom = await this.#options.mirrors?.keepFrom(state, policy, nowMs);
        expiry = await table.expire(state, policy, { nowMs, dryRun, keepFrom });
        return expiry.result;
      },
      // The files of an expiry that may or may not have happened stay: they are orphans at worst.
      arrived: () => {
        const isDoubtful = expiry.result?.outcome === "unknown";
        if (isDoubtful) expiry = nothing;
        return isDoubtful;
      },
    });
    if (!isDone) return expiry;
    await failPoint("upkeep.afterExpiry");
    for (const path of expiry.unneeded) await storage.delete(path);
    return expiry;
  }

  /**
   * Files in the table's folder that nothing refers to, and that are too old to be part of a commit under way. Where no version
   * is found there are none: somebody else may know of one, such as a catalog that was not named. The same where somebody else
   * keeps the table's past.
   */
  async orphans(): Promise<readonly StoredObject[]> {
    const { table, storage, policy } = this.#options;
    const found = await table.load();
    if (found === undefined || table.isKeptByOthers?.(found)) return [];
    return await findOrphans(storage, {
      folder: storage.path(table.location),
      referenced: async () => {
        const state = await table.load();
        if (state === undefined) {
          throw new WeirError("conflict", `Table ${table.namespace}.${table.name} left meanwhile`);
        }
        return (await table.referenced(state, policy)).union(await this.#options.mirrors?.referenced() ?? new Set());
      },
      before: this.#nowMs() - policy.orphanAgeMs,
    });
  }

  #nowMs(): number {
    return (this.#options.now ?? Date.now)();
  }
}
