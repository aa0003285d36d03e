/**
 * Rows that one sink has written, for the others that take the same rows: formats whose files differ in their footers alone need
 * not write them twice.
 *
 * Promise: sharing saves work and changes nothing else. A sink that finds nothing it can use writes the rows itself.
 */
import type { ColumnStatistics } from "../engine/column_statistics.ts";

/** A file of all rows of a relation, each once, and no others. */
export interface WrittenRows {
  /** A local Parquet file, whole; it never changes, and may be gone when it is opened. */
  readonly file: string;
  readonly rows: bigint;
  /** What its columns hold, by their names in the file: SQL over the relation. There may be columns beside them. */
  readonly columns: ReadonlyMap<string, string>;
  /** By leaf path in the file. */
  readonly statistics: ReadonlyMap<string, ColumnStatistics>;
}

/** A sink's part in it: of several sinks one offers what it writes, and the others take that. */
export interface SharedRows {
  /** Told of the rows once they are written; of undefined where no file holds them all. */
  readonly offer?: (written: WrittenRows | undefined) => void;
  /** What another sink has told; undefined where nothing is to be had from it. */
  readonly offered?: Promise<WrittenRows | undefined>;
}
