/** Upkeep of every table that a job writes, beside its batches: files are merged, old snapshots expire. */
import type { Connection } from "../../lib/engine/connection.ts";
import type { WeirError } from "../../lib/errors.ts";
import { BackgroundUpkeep } from "../../lib/sink/background_upkeep.ts";
import type { TableCommitter } from "../../lib/sink/table_committer.ts";
import { TableUpkeep } from "../../lib/sink/table_upkeep.ts";
import { UpkeepWorker } from "../../lib/sink/upkeep_worker.ts";
import type { Storage } from "../../lib/storage/storage.ts";
import type { TableMirrors, UpkeepPolicy, UpkeepTable } from "../../lib/table/upkeep.ts";

/** What it works with. */
export interface LakeUpkeepOptions {
  readonly storage: Storage;
  /** Files are merged on it, one table after another. */
  readonly connection: Connection;
  readonly policy: UpkeepPolicy;
  /** Told of what failed, once for each reason; it is tried again, and batches go on. */
  readonly onTrouble: (table: string, error: WeirError) => void;
}

/** What upkeep did. */
export interface UpkeepCounts {
  readonly merges: number;
  /** Files that were merged, */
  readonly mergedFiles: number;
  /** and their size. */
  readonly mergedBytes: number;
  readonly expiredPartitions: number;
  readonly expiredSnapshots: number;
  readonly removedFiles: number;
}

/** Longest time between two expiries of a table, milliseconds. */
const mostExpireEveryMs = 60_000;
/** How long a stop waits for a merge under way, milliseconds; after that it is given up. */
const mostStopMs = 2000;

/** The upkeep of a lake beside its writer. */
export class LakeUpkeep {
  readonly #options: LakeUpkeepOptions;
  readonly #worker: UpkeepWorker;
  readonly #upkeeps: BackgroundUpkeep[] = [];
  readonly #told = new Map<string, string>();
  #counts: UpkeepCounts = {
    merges: 0,
    mergedFiles: 0,
    mergedBytes: 0,
    expiredPartitions: 0,
    expiredSnapshots: 0,
    removedFiles: 0,
  };
  /** Whether the writer has fallen behind its source: merges that can wait do. */
  isBehind = false;

  constructor(options: LakeUpkeepOptions) {
    this.#options = options;
    this.#worker = new UpkeepWorker(options.connection);
  }

  /** What was done so far. */
  get counts(): UpkeepCounts {
    return this.#counts;
  }

  /** The upkeep of a table, whose writer is to give it its turns. */
  of(table: UpkeepTable, committer: TableCommitter, mirrors?: TableMirrors): BackgroundUpkeep {
    const { storage, policy } = this.#options;
    const steps = new TableUpkeep({ table, storage, policy, worker: this.#worker, committer, mirrors });
    const name = `${table.format} ${table.namespace}.${table.name}`;
    const upkeep = new BackgroundUpkeep(steps, {
      expireEveryMs: Math.min(mostExpireEveryMs, policy.keepSnapshotsMs / 4),
      isBehind: () => this.isBehind,
      onError: (error) => this.#tell(name, error),
      onMerged: ({ files, bytes }) => this.#count({ merges: 1, mergedFiles: files, mergedBytes: Number(bytes) }),
      onExpired: ({ partitions, snapshots, unneeded }) =>
        this.#count({ expiredPartitions: partitions, expiredSnapshots: snapshots, removedFiles: unneeded.length }),
    });
    this.#upkeeps.push(upkeep);
    return upkeep;
  }

  /** Resolves once no merge is under way. */
  async idle(): Promise<void> {
    for (const upkeep of this.#upkeeps) await upkeep.idle();
  }

  /** Ends shortly: a merge that does not is given up, and its files removed. To be called once nothing is written any more. */
  async close(): Promise<void> {
    const giveUp = setTimeout(() => this.#worker.stop(), mostStopMs);
    for (const upkeep of this.#upkeeps) await upkeep.close();
    clearTimeout(giveUp);
  }

  #tell(table: string, error: WeirError): void {
    if (this.#told.get(table) === error.message) return;
    this.#told.set(table, error.message);
    this.#options.onTrouble(table, error);
  }

  #count(more: Partial<UpkeepCounts>): void {
    const sum = (name: keyof UpkeepCounts) => this.#counts[name] + (more[name] ?? 0);
    this.#counts = {
      merges: sum("merges"),
      mergedFiles: sum("mergedFiles"),
      mergedBytes: sum("mergedBytes"),
      expiredPartitions: sum("expiredPartitions"),
      expiredSnapshots: sum("expiredSnapshots"),
      removedFiles: sum("removedFiles"),
    };
  }
}
