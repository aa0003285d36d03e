/**
 * The sink contract: one lake table that takes micro-batches exactly once.
 *
 * Promise: the position is stored inside the same table commit as the data, so that on restart the sink itself says where
 * it stands; there is no other state. The source may be acknowledged only up to the smallest position that every sink has
 * recorded. A batch at or before the committed position is never applied again.
 */
import type { Column } from "../dataset/column.ts";
import type { TableDefinition } from "../dataset/dataset.ts";
import type { RowRetention } from "../dataset/row_retention.ts";
import type { SchemaChange } from "../dataset/schema_change.ts";
import type { Position } from "./position.ts";
import type { Relation } from "./relation.ts";
import type { SharedRows } from "./written_rows.ts";

/** Which table a sink writes. */
export interface SinkTable {
  readonly format: string;
  readonly namespace: string;
  readonly name: string;
  /** Folder or URI of the table. */
  readonly location: string;
}

/** What one commit changes. Steps happen in this order: schema changes, truncate, removals, upserts. */
export interface TableChange {
  readonly definition: TableDefinition;
  readonly schemaChanges: readonly SchemaChange[];
  /** Every row that was there before leaves the table. */
  readonly truncate: boolean;
  /**
   * Rows with all columns of the definition, one per key, plus `_replaces`. A key whose `_replaces` is false is known not
   * to be in the lake, so no earlier version is looked for.
   */
  readonly upserts?: Relation;
  /** Keys (of `scope`) whose lake rows leave the table, unless the same key stands in `upserts`. */
  readonly removals?: Relation;
  /** The columns of `removals`: the table's key, or a prefix of it (all children of a parent). */
  readonly scope: readonly string[];
  readonly position: Position;
  /**
   * Where the batch begins: since its last commit the table did not change up to here, whatever others did. A reader who wants
   * several tables at one position goes by it. Absent: not known, as in a copy.
   */
  readonly after?: Position;
  /** Time of the last source commit inside, epoch milliseconds. */
  readonly commitTimeMs: number;
  /** Whether `upserts` are written by other sinks too. Absent: by this one alone. */
  readonly shared?: SharedRows;
}

/** How a table commit ended: a value, because each ending asks something else of the caller. */
export type CommitResult =
  | { readonly outcome: "committed"; readonly snapshotId: bigint; readonly rows: bigint }
  /** Another commit took the place; nothing of ours is visible. Load again and stage again. */
  | { readonly outcome: "conflict" }
  /** Nothing happened; the same commit may be tried again. */
  | { readonly outcome: "retryable"; readonly cause: unknown }
  /** It may or may not have happened: look it up in the table's history before anything else. */
  | { readonly outcome: "unknown"; readonly cause: unknown };

/** What a sink says of its table. */
export interface SinkStatus {
  /** Columns of the current schema; absent while the table does not exist. */
  readonly columns?: readonly Column[];
  readonly position?: Position;
  readonly snapshotId?: bigint;
  readonly rows: bigint;
  /** Columns by whose values rows are partitioned, where that was settled for good when the table was made. */
  readonly fixedPartition?: readonly string[];
  /** How long rows stay in the table. Absent: for good. */
  readonly retention?: RowRetention;
}

/** A SELECT over one snapshot. The files it names stay readable until it is disposed. */
export interface Scan extends Disposable {
  readonly sql: string;
}

/** Rows for one commit that arrive in parts: an initial copy. */
export interface TableLoad {
  /** Writes the files of one part; nothing of it is visible yet. */
  add(upserts: Relation, shared?: SharedRows): Promise<void>;
  /** Makes all parts visible in one table commit. */
  commit(): Promise<SinkStatus>;
  /** Gives up and removes the files. */
  abandon(): Promise<void>;
}

/** One lake table. */
export interface Sink {
  readonly table: SinkTable;
  /** Whether files hold columns beside the definition's: other sinks may take over such rows, but this one not theirs. Default false. */
  readonly hasOwnFileColumns?: boolean;
  status(): Promise<SinkStatus>;
  /** SELECT over the current snapshot giving the definition's columns; undefined while the table does not exist. */
  scan(): Promise<Scan | undefined>;
  /**
   * The same of some of the rows: what they look like, for the price of one file, however large the table is. A row that another has
   * replaced may be among them where the two are not merged yet.
   */
  sample(): Promise<Scan | undefined>;
  /** Applies one change. Retries conflicts and looks up unknown outcomes itself; throws `WeirError` when it cannot. */
  commit(change: TableChange): Promise<SinkStatus>;
  /** Starts a commit whose rows come in parts, e.g. an initial copy that replaces whatever the table held. */
  load(change: Omit<TableChange, "upserts" | "removals">): Promise<TableLoad>;
  /**
   * Records progress without data, for a table that sees no changes. `undefined` takes the recorded position away: the
   * table is copied again at the next chance.
   */
  recordPosition(position: Position | undefined): Promise<void>;
}
