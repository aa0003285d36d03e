/** The source contract: where changes come from. */
import type { Dataset } from "../dataset/dataset.ts";
import type { WeirError } from "../errors.ts";
import type { DatasetChanges, MicroBatch } from "./micro_batch.ts";
import type { Position } from "./position.ts";

/** How far reading lags behind the source. */
export interface SourceLag {
  readonly bytes: number;
  readonly seconds: number;
}

/** A position that a lake table has recorded. */
export interface RecordedPosition {
  /** `namespace.table` at the source. */
  readonly source: string;
  readonly position: Position;
  /** Takes the position away: the lake table is copied again, and the reason is told. */
  forget(reason: string): Promise<void>;
}

/**
 * A part of one table's initial copy. The parts of a table follow one another and are committed as one; while one part is
 * written into the lake the next is read, so neither memory nor disk holds a whole table.
 */
export interface InitialCopyPart {
  readonly dataset: Dataset;
  /** The consistent point of the slot under whose exported snapshot every part of the table is read. */
  readonly position: Position;
  /** One segment of layout `rows`. */
  readonly changes: DatasetChanges;
  /** Whether the table is complete with this part. An empty table has one part of 0 rows. */
  readonly last: boolean;
  /** Removes the part's spool files. */
  release(): Promise<void>;
}

/** Told of a dataset that cannot be copied, such as one whose table was dropped. */
export type CopyFailure = (dataset: Dataset, error: WeirError) => void;

/** A dataset at a point, where the source's columns may have changed since the lake last heard of them. */
export interface ComparableDataset {
  /** Every column that can be compared, under its lake name, with the name that a statement finds it by. */
  readonly atSource: Dataset;
  /** Those and the ones that the lake has and the source has no more. */
  readonly inLake: Dataset;
  /** Lake names of the latter. They leave the lake with the next row event. */
  readonly gone: readonly string[];
}

/** A point at which source and lake can be compared while rows keep flowing. */
export interface VerificationPoint {
  /** The batch that ends exactly here carries everything the snapshot shows. */
  readonly position: Position;
  /** Runs one statement under the exported snapshot and writes its rows as a spool file of layout `rows` to a path. */
  copyTo(statement: string, path: string): Promise<number>;
  /** What of a captured dataset can be compared here. From now until the point is closed its columns stay as they are. */
  comparable(dataset: Dataset): Promise<ComparableDataset>;
  close(): Promise<void>;
}

/**
 * A source of changes.
 *
 * Promise: micro-batches arrive in order, each ends at a source commit, and none is lost between `acknowledge` and the next
 * start: what was not acknowledged is sent again. A batch also ends at every position asked for in `cutAt`. While nobody
 * reads, the source stops reading too (bounded disk) but keeps its connection alive.
 */
export interface Source {
  /** Dataset contracts of the captured tables as the source has them now. */
  readonly datasets: readonly Dataset[];
  /**
   * Checks every precondition, refuses a lost or foreign slot, forgets the positions of tables whose changes were missed, and
   * makes slot and publication where missing. In this order: wherever it is killed, the next start finds what was missed.
   */
  start(recorded: readonly RecordedPosition[]): Promise<void>;
  /**
   * Copies the datasets one after another under one exported snapshot, in parts. One that cannot be copied any more is told
   * of and left out; without `onFailure` it ends the copy.
   */
  copy(datasets: readonly Dataset[], signal: AbortSignal, onFailure?: CopyFailure): AsyncIterable<InitialCopyPart>;
  /** Micro-batches after a position; `cutAt` holds positions at which a batch must end. */
  changes(after: Position, cutAt: readonly Position[], signal: AbortSignal): AsyncIterable<MicroBatch>;
  /** Pauses at a source commit and opens a point; the running `changes` then cuts a batch exactly there. */
  verificationPoint(): Promise<VerificationPoint>;
  /** Everything up to here is recorded in every sink; the source may forget it. */
  acknowledge(position: Position): void;
  /** Negative, zero or positive as `left` is before, at or after `right`. Throws `sourceMismatch` for another instance. */
  compare(left: Position, right: Position): number;
  /** Bytes of the source's log between two positions: what an unacknowledged position makes the source keep. */
  distanceBytes(from: Position, to: Position): number;
  lag(): SourceLag;
  close(): Promise<void>;
}
