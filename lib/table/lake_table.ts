/**
 * The contract every table format keeps: three named steps to a commit, and a scan.
 *
 * Promise: `prepare` writes files that nobody sees; `stage` is plain data and may be repeated on a new state with the same
 * prepared files; `commit` is one atomic step. Position and data become visible together or not at all.
 */
import type { Position } from "../change/position.ts";
import type { CommitResult, Scan, TableChange } from "../change/sink.ts";
import type { Column } from "../dataset/column.ts";
import type { TableDefinition } from "../dataset/dataset.ts";
import type { RowRetention } from "../dataset/row_retention.ts";

/** What a table says of its newest snapshot. */
export interface TableState {
  readonly columns: readonly Column[];
  readonly key: readonly string[];
  /** Undefined before the first snapshot. */
  readonly snapshotId?: bigint;
  readonly rows: bigint;
  readonly position?: Position;
  /** Columns by whose values rows are partitioned, where that was settled for good when the table was made. */
  readonly fixedPartition?: readonly string[];
  /** Of a mirror: the format of the table whose files it shows. It cannot be written. */
  readonly mirrorOf?: string;
  /** How long rows stay. Absent: for good. */
  readonly retention?: RowRetention;
}

/** One table in one format. `State`, `Prepared` and `Staged` are the format's own plain data. */
export interface LakeTable<State extends TableState = TableState, Prepared = unknown, Staged = unknown> {
  readonly format: "iceberg" | "paimon" | "delta";
  readonly namespace: string;
  readonly name: string;
  /** URI of the table's folder. */
  readonly location: string;
  /** See `Sink`. */
  readonly hasOwnFileColumns?: boolean;
  /** Undefined where the table does not exist. Throws `tableUnreadable` naming the file that is damaged. */
  load(): Promise<State | undefined>;
  /** Makes an empty table. An equal table that is there already is loaded. */
  create(definition: TableDefinition): Promise<State>;
  /** Writes data and delete files for a change against a state. */
  prepare(state: State, change: TableChange): Promise<Prepared>;
  /** Several prepared parts of one load (pure upserts of new keys, disjoint) as one, so that they are committed together. */
  combine(parts: readonly [Prepared, ...Prepared[]]): Prepared;
  /** What the commit will put, computed from the state alone. */
  stage(state: State, prepared: Prepared): Staged;
  commit(staged: Staged): Promise<CommitResult>;
  /** After `unknown`: whether this very commit is in the table's history. */
  isCommitted(staged: Staged): Promise<boolean>;
  /** Whether prepared files still fit a newer state (no file they refer to has left). If not, prepare again. */
  stillFits(state: State, prepared: Prepared): boolean;
  /** Removes the files of a change that was given up. */
  discard(prepared: Prepared): Promise<void>;
  /** Records progress without data; `undefined` takes the recorded position away. */
  recordPosition(state: State, position: Position | undefined): Promise<CommitResult>;
  /** A SELECT over the state's snapshot giving its columns in order. */
  scan(state: State): Promise<Scan>;
  /** A scan of the one file that has the most rows: see `Sink.sample`. */
  sample(state: State): Promise<Scan>;
}

/** One snapshot of a table's past. */
export interface KeptSnapshot {
  readonly id: bigint;
  /** When it was committed, epoch milliseconds. */
  readonly timeMs: number;
  /** How far the source had been read. Absent where another writer made it. */
  readonly position?: Position;
  /** Up to here the snapshot before it showed the table; never before that one's position. Absent where nobody knows. */
  readonly after?: Position;
}

/** The rows in which two states differ, as SELECTs of the newer state's columns; they can be read until this is disposed. */
export interface ChangedRows extends Disposable {
  /** Of the older state. */
  readonly before: string;
  /** Of the newer state. */
  readonly after: string;
}

/** A table whose past can be read. What {@linkcode HistoricTable.stateAt} gives is for reading alone. */
export interface HistoricTable<State extends TableState = TableState, Prepared = unknown, Staged = unknown>
  extends LakeTable<State, Prepared, Staged> {
  /** The snapshots that a state came from and that are still kept, oldest first, its own last. */
  history(state: State): Promise<readonly KeptSnapshot[]>;
  /** The table as one of those shows it. Undefined where it is not kept. */
  stateAt(newest: State, snapshotId: bigint): Promise<State | undefined>;
  /**
   * Every row in which two states differ stands in `before` or `after`; a row that is equal in both may stand in both. Files that
   * both states have are not read for it where the format allows.
   */
  changedRows(older: State, newer: State): Promise<ChangedRows>;
}
