/** A small table, and how Spark changes it: statements that DuckDB understands as well. */
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

/** Rows of ours. */
export function rows(range: string, name: string): string {
  return `SELECT i AS id, '${name} ' || i AS name, TIMESTAMPTZ '2026-01-01 00:00:00+00' + INTERVAL (i) HOUR AS seen
    FROM range(${range}) AS ids(i)`;
}

/** Adds rows. */
export const append = (table: string): string =>
  `INSERT INTO ${table} SELECT id + 900, 'theirs', seen FROM ${table} WHERE id < 5`;
/** Changes rows. */
export const update = (table: string): string => `UPDATE ${table} SET name = concat(name, '!') WHERE id % 7 = 0`;
/** Removes rows. */
export const remove = (table: string): string => `DELETE FROM ${table} WHERE id BETWEEN 20 AND 30`;
