/** Statistics of one leaf column of a Parquet file, in DuckDB's text form (`COPY … RETURN_STATS`). */
export interface ColumnStatistics {
  readonly values: bigint;
  readonly nulls: bigint;
  readonly bytes: bigint;
  readonly min?: string;
  readonly max?: string;
  /** Float columns only: whether any value is NaN. */
  readonly hasNan?: boolean;
}
