/**
 * The closed set of column types that every table format and reader holds (design §5), and their DuckDB spelling.
 *
 * Promise: a value of one of these types means the same in PostgreSQL, DuckDB, Iceberg, Paimon and Delta. What has no
 * such type (uuid, time, interval, enum, JSON …) travels as `string`.
 */

/** A column type. `decimal` holds at most 38 digits; `timestamptz` is an instant in UTC with microseconds. */
export type ColumnType =
  | { readonly kind: "boolean" }
  | { readonly kind: "int32" }
  | { readonly kind: "int64" }
  | { readonly kind: "float32" }
  | { readonly kind: "float64" }
  | { readonly kind: "decimal"; readonly precision: number; readonly scale: number }
  | { readonly kind: "string" }
  | { readonly kind: "binary" }
  | { readonly kind: "date" }
  | { readonly kind: "timestamp" }
  | { readonly kind: "timestamptz" }
  | { readonly kind: "list"; readonly element: ScalarType };

/** Every type but a list. */
export type ScalarType = Exclude<ColumnType, { kind: "list" }>;

/** Shorthands, so that a declaration reads as a table. */
export const types = {
  boolean: { kind: "boolean" },
  int32: { kind: "int32" },
  int64: { kind: "int64" },
  float32: { kind: "float32" },
  float64: { kind: "float64" },
  string: { kind: "string" },
  binary: { kind: "binary" },
  date: { kind: "date" },
  timestamp: { kind: "timestamp" },
  timestamptz: { kind: "timestamptz" },
  decimal: (precision: number, scale: number) => ({ kind: "decimal", precision, scale }) as const,
  list: (element: ScalarType) => ({ kind: "list", element }) as const,
} as const;

const duckdbNames = {
  boolean: "BOOLEAN",
  int32: "INTEGER",
  int64: "BIGINT",
  float32: "FLOAT",
  float64: "DOUBLE",
  string: "VARCHAR",
  binary: "BLOB",
  date: "DATE",
  timestamp: "TIMESTAMP",
  timestamptz: "TIMESTAMPTZ",
} as const;

/**
 * DuckDB's name of a type.
 *
 * @example
 * ```ts
 * import { duckdbType, types } from "./column_type.ts";
 * import assert from "node:assert/strict";
 *
 * assert.equal(duckdbType(types.list(types.float32)), "FLOAT[]");
 * assert.equal(duckdbType(types.decimal(12, 2)), "DECIMAL(12,2)");
 * ```
 */
export function duckdbType(type: ColumnType): string {
  if (type.kind === "list") return `${duckdbType(type.element)}[]`;
  if (type.kind === "decimal") return `DECIMAL(${type.precision},${type.scale})`;
  return duckdbNames[type.kind];
}

/** Whether values of a type are instants, with a time zone or without. */
export function isInstant({ kind }: ColumnType): boolean {
  return kind === "timestamp" || kind === "timestamptz";
}

/** Whether two types are the same. */
export function sameType(left: ColumnType, right: ColumnType): boolean {
  return duckdbType(left) === duckdbType(right);
}

/**
 * Whether a lake column may change from one type to another in place (Iceberg spec, schema evolution: int → long,
 * float → double, a decimal of more digits at the same scale). Anything else is a new column.
 */
export function widens(from: ColumnType, to: ColumnType): boolean {
  if (from.kind === "int32" && to.kind === "int64") return true;
  if (from.kind === "float32" && to.kind === "float64") return true;
  return from.kind === "decimal" && to.kind === "decimal" && from.scale === to.scale && from.precision < to.precision;
}
