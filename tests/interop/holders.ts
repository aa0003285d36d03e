/** A small table, and rows of it. */
import { types } from "../../lib/dataset/column_type.ts";
import type { TableDefinition } from "../../lib/dataset/dataset.ts";

/** A keyed table. */
export const holders: TableDefinition = {
  namespace: "bank",
  name: "holders",
  key: ["id"],
  columns: [
    { name: "id", type: types.int64, nullable: false },
    { name: "name", type: types.string, nullable: true },
    { name: "seen", type: types.timestamptz, nullable: true },
  ],
};

/** SELECT of rows. */
export function rows(range: string, name: string): string {
  return `SELECT i AS id, '${name} ' || i AS name, TIMESTAMPTZ '2026-01-01 00:00:00+00' + INTERVAL (i) HOUR AS seen
    FROM range(${range}) AS ids(i)`;
}

/** {@linkcode holders} partitioned by two columns. */
export const partitionedHolders: TableDefinition = {
  ...holders,
  columns: [
    ...holders.columns,
    { name: "land", type: types.string, nullable: true },
    { name: "born", type: types.date, nullable: true },
  ],
  partitionBy: ["land", "born"],
};

/** SELECT of rows of {@linkcode partitionedHolders}. */
export function partitionedRows(range: string, name: string): string {
  return `SELECT *, CASE WHEN id % 3 > 0 THEN 'a/b=%é ' || (id % 3) END AS land, DATE '1969-12-31' + (id % 2)::INTEGER AS born
    FROM (${rows(range, name)})`;
}
