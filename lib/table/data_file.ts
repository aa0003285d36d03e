/** One Parquet file of a table, as a format's metadata describes it. */

/** Statistics of one leaf column, in DuckDB's text form (`COPY … RETURN_STATS`). */
export interface ColumnStatistics {
  readonly values: bigint;
  readonly nulls: bigint;
  readonly bytes: bigint;
  readonly min?: string;
  readonly max?: string;
  /** Float columns only: whether any value is NaN. */
  readonly hasNan?: boolean;
}

/** A written file. */
export interface DataFile {
  /** Path below the storage root. */
  readonly path: string;
  readonly rows: bigint;
  readonly bytes: bigint;
  /** By leaf path: `["id"]`, `["embedding_vector", "element"]` joined by `.` after SQL unquoting. */
  readonly statistics: ReadonlyMap<string, ColumnStatistics>;
}
