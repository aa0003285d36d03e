/**
 * The policy for special values: how each value's text, as PostgreSQL prints it, becomes a lake value in DuckDB, and which
 * values the lake cannot hold. Those become NULL and a dead letter (design §7). `verify/row_text.ts` states the same table
 * for the verification and shares no code with this one.
 *
 * | lake type | PostgreSQL text | refused (NULL and dead letter) |
 * |---|---|---|
 * | boolean | `t`, `f` | |
 * | int32, int64 | digits | |
 * | float32, float64 | shortest exact; `NaN`, `Infinity` are values | |
 * | decimal(p,s) | digits | `NaN` (a numeric with a declared scale holds no infinity) |
 * | date | `YYYY-MM-DD` | `infinity`, BC, years after 9999 |
 * | timestamp, timestamptz | ISO, in UTC | `infinity`, BC, years after 9999 |
 * | binary | `\x` and hex | |
 * | list | array text, or `[…]` of a vector | more than one dimension; an element that is refused |
 * | string | as it is | |
 * | any | | more bytes of text than `maxValueBytes` (refused by the decoder) |
 *
 * Years after 9999 are refused because most readers of the table formats cannot show them; BC because DuckDB reads
 * `'0044-03-15 BC'::DATE` as 44 AD without an error.
 */
import type { SpoolColumn } from "../../change/micro_batch.ts";
import { type ColumnType, duckdbType, type ScalarType } from "../../dataset/column_type.ts";
import { identifier } from "../../engine/quote.ts";
import { arrayElements, dimensionless } from "./array_text.ts";

/** DuckDB SQL over one text expression. */
interface ValueSql {
  readonly sql: string;
  readonly fallible: boolean;
  readonly reasonSql?: string;
}

/** How a list stands in a text: as a PostgreSQL array or in the brackets of pgvector. */
export type ListText = "array" | "vector";

/** What {@linkcode spoolColumn} needs beside the name. */
export interface SpoolColumnOptions {
  readonly type: ColumnType;
  /** Default `array`. */
  readonly listText?: ListText;
}

/**
 * A column as it stands in a spool file.
 *
 * @example
 * ```ts
 * import { spoolColumn } from "./special_values.ts";
 * import { types } from "../../dataset/column_type.ts";
 * import assert from "node:assert/strict";
 *
 * const day = spoolColumn("day", { type: types.date });
 * assert.equal(day.sql, `CASE WHEN length("day") = 10 THEN CAST("day" AS DATE) END`);
 * assert.equal(day.fallible, true);
 * ```
 */
export function spoolColumn(name: string, options: SpoolColumnOptions): SpoolColumn {
  const raw = identifier(name);
  const { type } = options;
  const value = type.kind === "list" ? listSql(raw, type.element, options.listText ?? "array") : scalarSql(raw, type);
  return { name, type, ...value };
}

function scalarSql(raw: string, type: ScalarType): ValueSql {
  switch (type.kind) {
    case "string":
      return { sql: raw, fallible: false };
    case "boolean":
      return { sql: `(${raw} = 't')`, fallible: false };
    case "binary":
      return { sql: `unhex(substr(${raw}, 3))`, fallible: false };
    case "decimal":
      return decimalSql(raw, type);
    case "date":
      // Exactly the dates of the years 0001 to 9999 are ten characters long.
      return temporalSql(raw, `length(${raw}) = 10`, "DATE");
    case "timestamp":
    case "timestamptz":
      return temporalSql(raw, `substr(${raw}, 5, 1) = '-' AND NOT ends_with(${raw}, 'BC')`, duckdbType(type));
    default:
      return { sql: `CAST(${raw} AS ${duckdbType(type)})`, fallible: false };
  }
}

function temporalSql(raw: string, holds: string, type: string): ValueSql {
  return {
    sql: `CASE WHEN ${holds} THEN CAST(${raw} AS ${type}) END`,
    fallible: true,
    reasonSql: `CASE WHEN right(${raw}, 8) = 'infinity' THEN 'infinity' ` +
      `WHEN ends_with(${raw}, 'BC') THEN 'before the year 1' ELSE 'after the year 9999' END`,
  };
}

/** The type is the source's own, so a number always fits exactly; a cast would round one that did not. */
function decimalSql(raw: string, type: { readonly precision: number; readonly scale: number }): ValueSql {
  return {
    sql: `TRY_CAST(${raw} AS DECIMAL(${type.precision},${type.scale}))`,
    fallible: true,
    reasonSql: `CASE WHEN ${raw} = 'NaN' THEN 'NaN' ELSE 'not a decimal(${type.precision},${type.scale})' END`,
  };
}

function listSql(raw: string, element: ScalarType, text: ListText): ValueSql {
  if (text === "vector") return { sql: `CAST(${raw} AS ${duckdbType(element)}[])`, fallible: false };
  const flat = dimensionless(raw);
  const elements = arrayElements(raw, element);
  const one = scalarSql("element", element);
  const values = one.sql === "element" ? elements : `list_transform(${elements}, lambda element: ${one.sql})`;
  const several = `starts_with(${flat}, '{{')`;
  const sound = one.fallible
    ? `NOT ${several} AND len(list_filter(${elements}, lambda element: element IS NOT NULL AND (${one.sql}) IS NULL)) = 0`
    : `NOT ${several}`;
  return {
    sql: `CASE WHEN ${sound} THEN ${values} END`,
    fallible: true,
    reasonSql:
      `CASE WHEN ${several} THEN 'more than one dimension' ELSE 'an element that the lake type cannot hold' END`,
  };
}
