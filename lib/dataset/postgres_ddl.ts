/**
 * PostgreSQL statements that create a dataset's source table, for sources that are ours.
 *
 * Promise: every statement is idempotent, and every name in it is quoted.
 */
import type { Column } from "./column.ts";
import type { ColumnType } from "./column_type.ts";
import type { Dataset } from "./dataset.ts";

const postgresNames = {
  boolean: "boolean",
  int32: "integer",
  int64: "bigint",
  float32: "real",
  float64: "double precision",
  string: "text",
  binary: "bytea",
  date: "date",
  timestamp: "timestamp",
  timestamptz: "timestamptz",
} as const;

/**
 * Statements in the order they have to run: namespace (where it is not `public`), table, indexes.
 *
 * @example
 * ```ts
 * import { postgresDdl } from "./postgres_ddl.ts";
 * import { types } from "./column_type.ts";
 * import assert from "node:assert/strict";
 *
 * const statements = postgresDdl({
 *   namespace: "shop",
 *   name: "orders",
 *   source: { namespace: "public", table: "orders" },
 *   columns: [{ name: "id", type: types.int64, nullable: false }],
 *   key: ["id"],
 * });
 * assert.equal(
 *   statements[0],
 *   'CREATE TABLE IF NOT EXISTS "public"."orders" (\n  "id" bigint NOT NULL,\n  PRIMARY KEY ("id")\n)',
 * );
 * ```
 */
export function postgresDdl(dataset: Dataset): readonly string[] {
  const { namespace, table } = dataset.source;
  return [
    ...(namespace === "public" ? [] : [`CREATE SCHEMA IF NOT EXISTS ${quoted(namespace)}`]),
    createTable(dataset),
    ...dataset.columns.filter((column) => column.indexed).map((column) =>
      `CREATE INDEX IF NOT EXISTS ${quoted(`${table}_${column.name}_idx`)} ON ${sourceName(dataset)} (${
        quoted(column.name)
      })`
    ),
  ];
}

/** The source table's name, qualified and quoted. */
export function sourceName(dataset: Dataset): string {
  return `${quoted(dataset.source.namespace)}.${quoted(dataset.source.table)}`;
}

/** PostgreSQL's name of a column type. */
export function postgresType(type: ColumnType): string {
  if (type.kind === "list") return `${postgresType(type.element)}[]`;
  if (type.kind === "decimal") return `numeric(${type.precision},${type.scale})`;
  return postgresNames[type.kind];
}

function createTable(dataset: Dataset): string {
  const key = dataset.key.length === 0 ? [] : [`PRIMARY KEY (${dataset.key.map(quoted).join(", ")})`];
  const lines = [...dataset.columns.map(columnDefinition), ...key];
  return `CREATE TABLE IF NOT EXISTS ${sourceName(dataset)} (\n  ${lines.join(",\n  ")}\n)`;
}

function columnDefinition(column: Column): string {
  const type = column.sourceType ?? postgresType(column.type);
  const fallback = column.sourceDefault === undefined ? "" : ` DEFAULT ${column.sourceDefault}`;
  return `${quoted(column.name)} ${type}${column.nullable ? "" : " NOT NULL"}${fallback}`;
}

/** Written out here because this room stands below the engine, which has the same rule for its own SQL. */
function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
