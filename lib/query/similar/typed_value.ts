/** Values that people type, as values of a column's type. */
import { type ColumnType, duckdbType } from "../../dataset/column_type.ts";

/**
 * Whether a text is no value of a type, as SQL. DuckDB rounds `1.5` where it wants a whole number (1.5.5), which would be
 * another value than was asked for.
 *
 * @param text A literal.
 */
export function castProblemSql(text: string, type: ColumnType): string {
  const typed = `TRY_CAST(${text} AS ${duckdbType(type)})`;
  const isWhole = type.kind === "int32" || type.kind === "int64";
  return isWhole ? `coalesce(${typed}::DOUBLE <> TRY_CAST(${text} AS DOUBLE), ${typed} IS NULL)` : `${typed} IS NULL`;
}

/**
 * What a value of a type looks like, for advice.
 *
 * @example
 * ```ts
 * import { types } from "../../dataset/column_type.ts";
 * import { wantedValue } from "./typed_value.ts";
 * import assert from "node:assert/strict";
 *
 * assert.equal(wantedValue(types.date), "a date, for example 2026-01-31");
 * ```
 */
export function wantedValue(type: ColumnType): string {
  switch (type.kind) {
    case "int32":
      return `a whole number from ${-(2 ** 31)} to ${2 ** 31 - 1}`;
    case "int64":
      return `a whole number from ${-(2n ** 63n)} to ${2n ** 63n - 1n}`;
    case "decimal":
      return `a number of at most ${type.precision - type.scale} digits before the point, for example 12.5`;
    case "float32":
    case "float64":
      return "a number, for example 12.5";
    case "boolean":
      return "true or false";
    case "date":
      return "a date, for example 2026-01-31";
    case "timestamp":
      return "a date and a time, for example 2026-01-31 12:30:00";
    case "timestamptz":
      return "a date and a time with its zone, for example 2026-01-31 12:30:00+02";
    default:
      return `a ${duckdbType(type)}`;
  }
}
