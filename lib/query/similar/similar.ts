/**
 * Similar rows of a lake table: those whose vectors point most nearly where that of a row, or of a text, points.
 *
 * Promise: what is found is in the table's newest snapshot, with the similarity of the vector that it has there. With an index that is
 * so to three digits, and rows may be missing that a comparison of every row would find; no row is ever shown that is gone, and
 * none that came after the index is passed over.
 */
import type { DuckDBValue } from "@duckdb/node-api";
import type { Row } from "../../engine/connection.ts";
import { embeddingColumns } from "../../transform/embedding_columns.ts";
import type { RowKey } from "../changes.ts";
import type { TableFolder } from "../lake_folders.ts";
import type { LakePlace } from "../lake_tables.ts";
import { requireTable } from "../time_travel.ts";
import { type IndexSearch, nearestLabels, searchIndex } from "./index_search.ts";
import {
  noVectors,
  type QueryTable,
  type QueryVector,
  type TextQuery,
  vectorOfRow,
  vectorOfText,
} from "./query_vector.ts";
import { filterSql, requireColumn, type RowFilter } from "./row_filter.ts";
import type { VectorIndex } from "./vector_index.ts";
import {
  censusOf,
  type Comparison,
  labelledRowsSql,
  type LabelSimilarities,
  requireVectors,
  similarityColumn,
  type VectorCensus,
  type VectorSpace,
} from "./vector_rows.ts";

/** What is looked for, and where. */
export interface SimilarOptions {
  readonly table: TableFolder;
  /** A row by its key, which is not found itself; or a text. */
  readonly near: { readonly key: RowKey } | TextQuery;
  /** Rows wanted. Default 10. */
  readonly top?: number;
  /** Only rows that meet all of these. */
  readonly filters?: readonly RowFilter[];
  /** Columns of the rows found. Default: all but those of the vector. */
  readonly columns?: readonly string[];
  /** Looks there first, where the table is large. Default: every row is compared. */
  readonly index?: VectorIndex | undefined;
  /** Of fewer rows every one is compared, index or not: that takes a blink. Default {@linkcode defaultIndexFromRows}. */
  readonly indexFromRows?: number;
}

/** Rows from which on an index is asked. */
export const defaultIndexFromRows = 50_000;

/** One row that was found. */
export interface SimilarRow {
  /** Cosine of the angle between the vectors: 1 is the same direction. */
  readonly similarity: number;
  /** Values by column. */
  readonly row: Readonly<Record<string, DuckDBValue>>;
}

/** What was found, and how. */
export interface SimilarRows {
  /** Nearest first. */
  readonly rows: readonly SimilarRow[];
  /** The model that the vectors are of, as `id@revision`, and their size. */
  readonly space: VectorSpace;
  /** Rows that have a vector of that model; those of other models are left out. */
  readonly comparable: bigint;
  readonly census: VectorCensus;
  /** The snapshot that was read. */
  readonly snapshotId?: bigint;
  /** Set where the index was asked: its snapshot, and how many texts came since, whose rows were compared one by one. */
  readonly index?: { readonly snapshotId: bigint; readonly textsSince: number };
  /** Set where there is an index and it could not answer: why. */
  readonly scanReason?: string;
}

/**
 * Finds the rows most similar to a row or a text.
 *
 * @param lake As `openLake` takes it.
 *
 * Throws `precondition` where there is no such table or row, or no vector of that model; `configuration` for a column that is not
 * there, with the nearest name.
 *
 * @example
 * ```ts
 * import { withDatabase } from "../../testing/temporary.ts";
 * import { VectorLake } from "../../testing/vector_lake.ts";
 * import { similar } from "./similar.ts";
 * import assert from "node:assert/strict";
 *
 * await withDatabase(async (fixture) => {
 *   const notes = new VectorLake(fixture, { format: "iceberg" });
 *   await notes.write([{ id: 1, text: "Rent of the flat" }, { id: 2, text: "Petrol for the car" }]);
 *   const { lake, place: table } = notes;
 *   const { rows } = await similar(lake, { table, near: { text: "petrol" }, columns: ["note"], top: 1 });
 *   assert.deepEqual(rows[0]?.row, { note: "Petrol for the car" });
 * });
 * ```
 */
export async function similar(lake: LakePlace, options: SimilarOptions): Promise<SimilarRows> {
  const { connection } = lake;
  const { table: place, near, top = 10, filters = [], indexFromRows = defaultIndexFromRows } = options;
  if (!Number.isInteger(top) || top < 1) throw new RangeError(`Cannot find ${top} rows: 1 or more`);
  const opened = await requireTable(place, lake);
  const { columns, key, snapshotId } = opened.newest;
  requireVectors(place, columns);
  const wanted = options.columns ?? columns.map(({ name }) => name).filter(isOwn);
  for (const name of wanted) requireColumn(name, columns);
  const filter = await filterSql(filters, { table: `${place.namespace}.${place.name}`, columns, connection });
  using scan = await opened.table.scan(opened.newest);
  const census = await censusOf(opened, { connection, scan: scan.sql });
  if (census.spaces.length === 0) throw noVectors({ place });
  const table: QueryTable = { connection, columns, key, scan: scan.sql, census, place };
  const asked = "key" in near ? await vectorOfRow(near.key, table) : await vectorOfText(near, table);
  const comparison = comparisonWith(asked, { rows: scan.sql, filter });
  const rowsOf = async (near: LabelSimilarities) =>
    (await connection.rows(labelledRowsSql(comparison, { near, columns: wanted, order: key, top }))).map(similarRow);
  const search = { opened, connection, comparison, top, rowsOf };
  const found = await findRows(search, opened.newest.rows < indexFromRows ? undefined : options.index);
  return {
    ...found,
    space: asked.space,
    comparable: census.spaces.find((space) => isSame(space, asked.space))?.rows ?? 0n,
    census,
    ...(snapshotId === undefined ? {} : { snapshotId }),
  };
}

function similarRow({ [similarityColumn]: similarity, ...row }: Row): SimilarRow {
  return { similarity: Number(similarity), row };
}

function isOwn(name: string): boolean {
  return embeddingColumns.every((column) => column.name !== name);
}

function isSame(left: VectorSpace, right: VectorSpace): boolean {
  return left.model === right.model && left.dimensions === right.dimensions;
}

function comparisonWith(
  { vector, space, self }: QueryVector,
  { rows, filter }: { readonly rows: string; readonly filter: string },
): Comparison {
  return { rows, vector, space, where: `(${filter}) AND NOT (${self})` };
}

/** The nearest rows, and what is to be said of how they were found. */
async function findRows(
  search: Omit<IndexSearch<SimilarRow>, "index">,
  index: VectorIndex | undefined,
): Promise<Pick<SimilarRows, "rows" | "index" | "scanReason">> {
  const byIndex = index === undefined ? undefined : await searchIndex({ ...search, index });
  if (byIndex !== undefined && "rows" in byIndex) {
    const { rows, manifest, textsSince } = byIndex;
    return { rows, index: { snapshotId: manifest.snapshot.id, textsSince } };
  }
  const rows = await search.rowsOf(new Map(await nearestLabels(search.connection, search)));
  return { rows, ...(byIndex === undefined ? {} : { scanReason: byIndex.reason }) };
}
