/**
 * The contract by which tables of every format are kept small, fast and clean.
 *
 * Promise: upkeep never changes what a reader of the newest snapshot sees, but for partitions whose time has passed; it carries the committed position forward, and goes on
 * beside a writer: a commit that came meanwhile is never lost, the upkeep's own work is given up instead. No file is removed
 * that a kept snapshot, a tag or a branch refers to.
 */
import type { Connection } from "../engine/connection.ts";
import type { CommitResult } from "../change/sink.ts";
import type { LakeTable, TableState } from "./lake_table.ts";

/** When files are merged, and how long history is kept. */
export interface UpkeepPolicy {
  /** Size that data files are merged towards, bytes. */
  readonly targetFileBytes: number;
  /** Files of a similar size that are merged once so many stand side by side. */
  readonly mergeFiles: number;
  /** Share of deleted rows, 0 to 1, from which a file is written anew. */
  readonly deletedShare: number;
  /** Snapshots are kept for so long, milliseconds, */
  readonly keepSnapshotsMs: number;
  /** and at least so many of them, */
  readonly keepSnapshots: number;
  /** but of more than those no more than these, however young, where the format can say so. Default: no limit. */
  readonly mostSnapshots?: number | undefined;
  /** Files that nothing refers to are removed once they are so old, milliseconds: longer than any commit takes. */
  readonly orphanAgeMs: number;
}

/** Data files of a state. */
export interface LiveFiles {
  readonly files: number;
  readonly bytes: bigint;
}

/** What one compaction would merge: plain data. A format adds what it needs to do it. */
export interface CompactionPlan {
  /** Data files read. */
  readonly files: number;
  readonly bytes: bigint;
  readonly rows: bigint;
  /** For people: why these. */
  readonly reason: string;
  /** Whether the writer should wait for it, because files come faster than they are merged. */
  readonly isUrgent: boolean;
}

/** Partitions whose time has passed, and what is in them. */
export interface ExpiredPartitions {
  readonly partitions: number;
  readonly files: number;
  readonly bytes: bigint;
  readonly rows: bigint;
}

/** When an expiry happens, and what it must leave. */
export interface ExpiryOptions {
  /** Epoch milliseconds. */
  readonly nowMs: number;
  readonly dryRun?: boolean;
  /**
   * What mirrors of the table need: a snapshot and all after it; null for nothing. Undefined: not known, so that a table which
   * has mirrors is left alone.
   */
  readonly keepFrom?: bigint | null | undefined;
}

/** Those who show a table in other formats, out of its files (`mirror/table_mirror.ts`). */
export interface TableMirrors {
  /** Takes their own old versions away. Throws nothing. */
  expire(policy: UpkeepPolicy, nowMs: number): Promise<void>;
  /** The table's oldest snapshot that one of their versions shows which somebody may still read; null where none does. */
  keepFrom(state: TableState, policy: UpkeepPolicy, nowMs: number): Promise<bigint | null>;
  /** Every file that they refer to: paths below the storage root. */
  referenced(): Promise<ReadonlySet<string>>;
}

/** What an expiry did, or would do. */
export interface Expiry {
  readonly snapshots: number;
  /** Undefined where nothing was to be committed, or only looked at. */
  readonly result?: CommitResult;
  /** Paths below the storage root that nothing kept refers to: to be removed once the commit is certain. */
  readonly unneeded: readonly string[];
}

/**
 * A table that can be kept up. What `compact` prepares becomes visible on the writer's turn: `rebase` on the state of that moment,
 * then `stage`, `commit`; `discard` where it is given up.
 */
export interface UpkeepTable<
  State extends TableState = TableState,
  Prepared = unknown,
  Staged = unknown,
  Plan extends CompactionPlan = CompactionPlan,
> extends LakeTable<State, Prepared, Staged> {
  /** The data files that a reader of the state opens. */
  liveFiles(state: State): LiveFiles;
  /** The compaction that is most worth its cost now; undefined where none is. Reads nothing. */
  planCompaction(state: State, policy: UpkeepPolicy): Plan | undefined;
  /** Writes merged files that nobody sees, on a connection of its own: batches are committed meanwhile. */
  compact(state: State, plan: Plan, connection: Connection): Promise<Prepared>;
  /**
   * What `compact` prepared, fitted to a newer state: deletes that batches added to its inputs meanwhile are carried over, quickly,
   * for the writer waits. Undefined where it does not fit any more: discard it and plan anew. What it gives may be fitted again.
   */
  rebase(state: State, prepared: Prepared): Promise<Prepared | undefined>;
  /** Takes old snapshots out of the table. With `dryRun` it only says which files would go. */
  expire(state: State, policy: UpkeepPolicy, options: ExpiryOptions): Promise<Expiry>;
  /** Whether somebody else keeps the table's past and removes its files: expiry does nothing then. Absent: nobody does. */
  isKeptByOthers?(state: State): boolean;
  /** What {@linkcode expirePartitions} would take out of the table. Absent where a format has nothing of the kind. Reads nothing. */
  expiredPartitions?(state: State, nowMs: number): ExpiredPartitions;
  /**
   * Takes the partitions out of the table whose time has passed, as the table itself says: the one thing of upkeep that a reader
   * sees. Undefined where there are none. Their files are those of an expiry of snapshots.
   */
  expirePartitions?(state: State, nowMs: number): Promise<CommitResult | undefined>;
  /** Small files of metadata that {@linkcode rewriteManifests} makes fewer. Absent where a format has none. */
  mergeableManifests?(state: State): number;
  rewriteManifests?(state: State): Promise<CommitResult>;
  /**
   * Every file that a kept snapshot, tag or branch refers to, metadata included: paths below the storage root. Where snapshots are
   * kept by age alone, those as young as the policy says are kept too.
   */
  referenced(state: State, policy?: UpkeepPolicy): Promise<ReadonlySet<string>>;
}
