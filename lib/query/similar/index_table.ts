/** The index of a lake table, brought up to it. */
import type { TableFolder } from "../lake_folders.ts";
import type { LakePlace } from "../lake_tables.ts";
import { requireTable } from "../time_travel.ts";
import type { IndexRefresh } from "./index_refresh.ts";
import { noVectors } from "./query_vector.ts";
import type { VectorIndex } from "./vector_index.ts";
import { censusOf, requireVectors } from "./vector_rows.ts";

/** Options of {@linkcode indexTable}. */
export interface IndexTableOptions {
  readonly table: TableFolder;
  readonly index: VectorIndex;
  /** Default: as many as the machine has. */
  readonly threads?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onRows?: ((rows: number, of: number) => void) | undefined;
}

/**
 * Brings an index up to its table: adds what came since, or builds it of the model that most vectors are of.
 *
 * Throws `precondition` where there is nothing to be indexed, `fenced` where another process does the same.
 */
export async function indexTable(
  lake: LakePlace,
  { table: place, index, threads = navigator.hardwareConcurrency, signal, onRows }: IndexTableOptions,
): Promise<IndexRefresh> {
  const { connection } = lake;
  const opened = await requireTable(place, lake);
  requireVectors(place, opened.newest.columns);
  using scan = await opened.table.scan(opened.newest);
  const { spaces: [space] } = await censusOf(opened, { connection, scan: scan.sql });
  if (space === undefined) throw noVectors({ place });
  const of = Number(space.rows);
  return await index.refresh({
    opened,
    connection,
    space,
    threads,
    signal,
    ...(onRows === undefined ? {} : { onRows: (rows: number) => onRows(rows, of) }),
  });
}
