/** The rows of a table that have vectors, as SQL: which models they are of, and the nearest of them by an exact scan. */
import type { Column } from "../../dataset/column.ts";
import type { Connection } from "../../engine/connection.ts";
import { identifier, literal } from "../../engine/quote.ts";
import { WeirError } from "../../errors.ts";
import type { HistoricTable } from "../../table/lake_table.ts";
import { embeddingColumns } from "../../transform/embedding_columns.ts";
import type { TableFolder } from "../lake_folders.ts";
import { nameOf, type OpenedTable } from "../time_travel.ts";
import { labelColumn, labelSql, textHash } from "./text_label.ts";

/** Vectors that may be compared with each other. */
export interface VectorSpace {
  /** Model as `id@revision`. */
  readonly model: string;
  /** Floats per vector. */
  readonly dimensions: number;
}

/** What a table has of vectors. */
export interface VectorCensus {
  /** Rows by model, most first. */
  readonly spaces: readonly (VectorSpace & { readonly rows: bigint })[];
  /** Rows whose text could not be embedded, or that were written before there were vectors. */
  readonly withoutVector: bigint;
}

/** Throws `precondition` for a table without vectors. */
export function requireVectors(place: TableFolder, columns: readonly Column[]): void {
  if (embeddingColumns.every(({ name }) => columns.some((column) => column.name === name))) return;
  throw new WeirError("precondition", `The ${nameOf(place)} has no vectors`, {
    detail: { table: `${place.namespace}.${place.name}` },
    advice: "Capture it with --embed TABLE:COLUMN,… to have a vector of those columns with every row",
  });
}

/** Censuses of tables as they were counted last: a snapshot never changes. */
const counted = new WeakMap<
  HistoricTable,
  { readonly snapshotId: bigint | undefined; readonly census: VectorCensus }
>();

/** Counts a table's rows by model. */
export async function censusOf(
  { table, newest: { snapshotId } }: OpenedTable,
  { connection, scan }: { readonly connection: Connection; readonly scan: string },
): Promise<VectorCensus> {
  const known = counted.get(table);
  if (known !== undefined && known.snapshotId === snapshotId) return known.census;
  const census = await count(connection, scan);
  counted.set(table, { snapshotId, census });
  return census;
}

/** The vectors themselves are not read: a row that has one says when it was computed. */
async function count(connection: Connection, scan: string): Promise<VectorCensus> {
  const found = await connection.rows(
    `SELECT CASE WHEN embedding_timestamp IS NOT NULL THEN embedding_model END AS model,
      CASE WHEN embedding_timestamp IS NOT NULL THEN embedding_dimensions END AS dimensions, count(*) AS rows
    FROM (${scan}) GROUP BY ALL ORDER BY rows DESC, model`,
  );
  const isSpace = ({ model, dimensions }: (typeof found)[number]) => model !== null && dimensions !== null;
  return {
    spaces: found.filter(isSpace).map(({ model, dimensions, rows }) => ({
      model: String(model),
      dimensions: Number(dimensions),
      rows: rows as bigint,
    })),
    withoutVector: found.filter((row) => !isSpace(row)).reduce((sum, { rows }) => sum + (rows as bigint), 0n),
  };
}

/** SELECT of the labels of the rows that have a vector of a model. The vectors are not read. */
export function labelsSql(rows: string, { model, dimensions }: VectorSpace): string {
  return `SELECT ${labelSql} AS ${labelColumn} FROM (${rows}) WHERE embedding_model = ${literal(model)}
    AND embedding_dimensions = ${dimensions} AND embedding_timestamp IS NOT NULL AND ${labelColumn} IS NOT NULL`;
}

/** Which rows are compared with what. */
export interface Comparison {
  /** SELECT of the rows. */
  readonly rows: string;
  readonly vector: Float32Array;
  readonly space: VectorSpace;
  /** Condition that rows must meet too. */
  readonly where: string;
}

/** Similarities by label. */
export type LabelSimilarities = ReadonlyMap<bigint, number>;

/**
 * SELECT of the labels of the rows nearest to a vector and of their similarities, nearest first; rows of one text have one label. A
 * similarity is the cosine of the angle between the vectors, from -1 to 1.
 */
export function nearestLabelsSql(comparison: Comparison, top: number): string {
  const { vector, space: { dimensions } } = comparison;
  const type = `FLOAT[${dimensions}]`;
  // A vector of another length than the row says would fail the whole statement.
  const own = `CASE WHEN len(embedding_vector) = ${dimensions} THEN embedding_vector END::${type}`;
  return `SELECT label, similarity FROM (
      SELECT ${labelSql} AS label, array_cosine_similarity(${own}, [${vector.join(",")}]::${type}) AS similarity
      FROM (${comparison.rows}) WHERE ${comparedRows(comparison)}
    ) WHERE similarity IS NOT NULL AND label IS NOT NULL ORDER BY similarity DESC, label LIMIT ${top}`;
}

/** Name of the similarity beside the columns; no lake column is called so. */
export const similarityColumn = "_weir_similarity";

/**
 * SELECT of the rows of some labels, nearest first, with these columns and their similarity. Rows of the same similarity come in the
 * order of some columns. No vector is read: those of 64 rows of a million took as long as comparing all (DuckDB 1.5.5), for a
 * list is decoded a row group at a time.
 */
export function labelledRowsSql(
  comparison: Omit<Comparison, "vector">,
  { near, columns, order, top }: {
    readonly near: LabelSimilarities;
    readonly columns: readonly string[];
    readonly order: readonly string[];
    readonly top: number;
  },
): string {
  const names = [...new Set([...columns, ...order])].map(identifier);
  const values = [...near].map(([label, similarity]) => `(${literal(textHash(label))}, ${similarity}::FLOAT)`);
  return `SELECT ${[...columns.map(identifier), similarityColumn].join(", ")} FROM (
      SELECT ${[...names, "embedding_text_hash AS _weir_hash"].join(", ")} FROM (${comparison.rows})
      WHERE embedding_timestamp IS NOT NULL AND ${comparedRows(comparison)}
    ) JOIN (VALUES ${values.length === 0 ? "(NULL, NULL)" : values.join(", ")}) AS near(_weir_hash, ${similarityColumn})
    USING (_weir_hash)
    ORDER BY ${[`${similarityColumn} DESC`, ...order.map(identifier)].join(", ")} LIMIT ${top}`;
}

function comparedRows({ space: { model, dimensions }, where }: Omit<Comparison, "vector">): string {
  return `embedding_model = ${literal(model)} AND embedding_dimensions = ${dimensions} AND (${where})`;
}
