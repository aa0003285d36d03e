/**
 * The micro-batch: the changes between two positions, as spooled files of bytes with a description of their columns.
 *
 * Promise: rows stand in source order inside ordered segments, one per relation version; a batch ends at a source commit.
 * No row of it is ever a JS object: engines read the files.
 */
import type { ColumnType } from "../dataset/column_type.ts";
import type { SchemaChange } from "../dataset/schema_change.ts";
import type { LetterDraft } from "./dead_letter.ts";
import type { Position } from "./position.ts";

/** One column as it stands in a spool file, with the SQL that turns its text into a value. */
export interface SpoolColumn {
  readonly name: string;
  readonly type: ColumnType;
  /**
   * DuckDB expression over the quoted raw VARCHAR column, giving the value, or NULL where the lake type cannot hold it
   * (the policy for special values). Identity where the text is the value.
   */
  readonly sql: string;
  /** False where {@linkcode SpoolColumn.sql} can never turn a non-null text into NULL. */
  readonly fallible: boolean;
  /** DuckDB expression over the raw column naming why the value was refused. Used only for values that were. */
  readonly reasonSql?: string;
}

/**
 * Files of one relation version, in the form of `spool_format.ts`.
 *
 * `rows`: the columns only (initial copy). `changes`: first `_op` (`I` insert, `U` update, `D` delete), `_ordinal`
 * (bigint, ascending through the batch), `_unchanged` (column indexes whose TOAST value the source did not send, joined
 * by commas, or NULL), then `_old_<key column>` for each key column (set on a key change only), then the columns; of a
 * delete only the key columns are set.
 */
export interface SpoolSegment {
  readonly layout: "rows" | "changes";
  readonly paths: readonly string[];
  readonly columns: readonly SpoolColumn[];
  readonly rows: number;
  readonly inserts: number;
  readonly updates: number;
  readonly deletes: number;
  readonly keyChanges: number;
  /** Rows with at least one unchanged TOAST value. */
  readonly unchangedRows: number;
  /** No line of the files is longer, its end included. */
  readonly longestLineBytes: number;
  /** Steps from the previous relation version's columns to these. Empty in the first segment after a start. */
  readonly schemaChanges: readonly SchemaChange[];
}

/** The changes of one source table. */
export interface DatasetChanges {
  /** `namespace.table` at the source. */
  readonly source: string;
  readonly key: readonly string[];
  readonly segments: readonly SpoolSegment[];
  /** Ordinals below this one were wiped by a truncate. Absent: no truncate in the batch. */
  readonly truncatedBefore?: bigint;
  /** Values the decoder refused (over `maxValueBytes`). */
  readonly deadLetters: readonly LetterDraft[];
  /** Set where row events cannot tell what happened (a rewrite at the source): the table must be copied again. */
  readonly recopyReason?: string;
}

/** The changes between two positions. */
export interface MicroBatch {
  readonly after: Position;
  readonly to: Position;
  /** Time of the last source commit inside, epoch milliseconds; of the reading where the batch holds none. */
  readonly commitTimeMs: number;
  readonly rows: number;
  readonly bytes: number;
  /** By `namespace.table` at the source; only tables that changed. */
  readonly changes: ReadonlyMap<string, DatasetChanges>;
  /** The source waits until every table has recorded this end, as a server does that is told to stop. Default: no. */
  readonly recordNow?: boolean;
  /** Removes the spool files. Called once, when every sink has what it wants. */
  release(): Promise<void>;
}
