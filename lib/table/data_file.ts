/** One Parquet file of a table, as a format's metadata describes it. */
import type { ColumnStatistics } from "../engine/column_statistics.ts";

/** A written file. */
export interface DataFile {
  /** Path below the storage root. */
  readonly path: string;
  readonly rows: bigint;
  readonly bytes: bigint;
  /** By leaf path: `["id"]`, `["embedding_vector", "element"]` joined by `.` after SQL unquoting. */
  readonly statistics: ReadonlyMap<string, ColumnStatistics>;
}
