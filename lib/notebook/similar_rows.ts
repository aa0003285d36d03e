/** Similar rows as a result. */
import { duckdbType } from "../dataset/column_type.ts";
import { WeirError } from "../errors.ts";
import type { RowKey } from "../query/changes.ts";
import type { LakePlace } from "../query/lake_tables.ts";
import { comparisons, readFilter, type RowFilter } from "../query/similar/row_filter.ts";
import type { TextQuery } from "../query/similar/query_vector.ts";
import type { SimilarRows } from "../query/similar/similar.ts";
import type { VectorIndex } from "../query/similar/vector_index.ts";
import { formatCount } from "../cli/format.ts";
import type { GivenColumn, GivenRows } from "./given_rows.ts";
import type { FormatChoice, TableInLake } from "./lake_table.ts";

/** What is looked for. */
export interface SimilarRowsOptions extends FormatChoice {
  /** A row by its key, which is not found itself; or a text, and the model where the vectors do not say how it is called here. */
  readonly near: { readonly key: RowKey } | Pick<TextQuery, "text" | "model" | "embedder">;
  /** Rows wanted. Default 10. */
  readonly top?: number;
  /** Only rows that meet all of these, such as `amount_value>=100`. */
  readonly filters?: readonly (string | RowFilter)[];
  /** Columns shown. Default: all but those of the vector. */
  readonly columns?: readonly string[];
  /** Compares every row, whether there is an index or not. Default false. */
  readonly exact?: boolean;
}

/** Rows that were found, and a sentence on what they were compared by. */
export interface FoundRows extends GivenRows {
  readonly notes: readonly string[];
}

/** Finds the rows; in a large table by its index, if it has one. Throws what `similar` of `lib/query` throws, and `configuration` for a filter that is none. */
export async function similarRows(
  lake: LakePlace,
  { table, index, ...options }: SimilarRowsOptions & { readonly table: TableInLake; readonly index: VectorIndex },
): Promise<FoundRows> {
  // Loaded when it is asked for: it brings the embedding models' code.
  const { similar } = await import("../query/similar/similar.ts");
  const { near, top = 10, filters = [], columns, exact = false } = options;
  const found = await similar(lake, {
    table,
    near,
    top,
    filters: filters.map(rowFilter),
    ...(exact ? {} : { index }),
    ...(columns === undefined ? {} : { columns }),
  });
  const shown = shownColumns(table, found, columns);
  const rows = found.rows.map((
    { similarity, row },
  ) => [similarity, ...shown.slice(1).map(([name]) => row[name] ?? null)]);
  return { columns: shown, rows, notes: [comparedText(found)] };
}

function rowFilter(filter: string | RowFilter): RowFilter {
  const read = typeof filter === "string" ? readFilter(filter) : filter;
  if (read !== undefined) return read;
  throw new WeirError("configuration", `The filter ${JSON.stringify(filter)} is no condition`, {
    advice: `Write it as column=value, or with another of ${comparisons.join(" ")}`,
  });
}

function shownColumns(
  table: TableInLake,
  { rows: [first] }: SimilarRows,
  wanted: readonly string[] | undefined,
): readonly GivenColumn[] {
  const names = wanted ?? (first === undefined ? [] : Object.keys(first.row));
  const typed = names.map((name): GivenColumn => {
    const column = table.columns.find((each) => each.name === name);
    return [name, column === undefined ? "VARCHAR" : duckdbType(column.type)];
  });
  // Of numbers of 32 bits: more digits would say nothing.
  return [["similarity", "FLOAT"], ...typed];
}

function comparedText(found: SimilarRows): string {
  const { comparable, space: { model, dimensions } } = found;
  return `${formatCount(comparable)} vectors of ${model} (${dimensions} dimensions), ${searchText(found)}`;
}

/** How rows were found, in words. */
export function searchText({ index, scanReason }: SearchWay): string {
  if (index != null) {
    return index.textsSince === 0
      ? "found by the index"
      : `found by the index and among ${formatCount(index.textsSince)} texts since`;
  }
  return scanReason == null ? "all compared" : `all compared: ${scanReason}`;
}

interface SearchWay {
  readonly index?: { readonly textsSince: number } | null;
  readonly scanReason?: string | null;
}
