/** How the rows of a lake table stand in its files: said of the table, and nothing done to its rows. */
import type { Transform } from "../change/transform.ts";
import type { TableDefinition } from "../dataset/dataset.ts";

/** Columns of a table, see {@linkcode TableDefinition}. Absent: as the definition says without it. */
export type RowLayout = Pick<TableDefinition, "partitionBy" | "sortBy">;

/** The transform that lays a table out. */
export function createRowLayout(layout: RowLayout): Transform {
  const define = (input: TableDefinition): TableDefinition => ({ ...input, ...layout });
  const { partitionBy = [], sortBy = [] } = layout;
  return {
    name: `rows partitioned by (${partitionBy.join(", ")}) and sorted by (${sortBy.join(", ")})`,
    define,
    apply: (input) => Promise.resolve({ ...input, definition: define(input.definition) }),
  };
}
