/**
 * Row text: one text per row that source and lake spell alike, so that rows can be compared by its MD5.
 *
 * The spelling of a value, by lake type. Both sides follow this table: the lake side in DuckDB SQL here, the source side
 * in PostgreSQL SQL in `source/postgres/row_text_sql.ts`. Neither side ever sees the other's decoder.
 *
 * | lake type | text | NULL at the source where |
 * |---|---|---|
 * | boolean | `t` or `f` | |
 * | int32, int64 | decimal digits | |
 * | float32, float64 | the 8 or 16 hex digits of the IEEE 754 bits; every NaN is `nan`; -0 is not 0 | |
 * | decimal(p,s) | exactly s fraction digits; no digit before the point where p = s | NaN, infinite, or not exact in p, s |
 * | string | the type's output text (so `numeric` without scale, `uuid`, `jsonb`, `interval` … as PostgreSQL prints them) | over `maxValueBytes` |
 * | binary | MD5 of the bytes, in hex | over `maxValueBytes` |
 * | date | days since 1970-01-01 | infinite, BC, after 9999 |
 * | timestamp, timestamptz | microseconds since 1970-01-01 00:00 (UTC) | infinite, BC, after 9999 |
 * | list | number of elements, `[`, then every element framed as below | more than one dimension, an element that is refused, over `maxValueBytes` |
 *
 * Frame: `-` for NULL, else the number of characters, `:`, the text. A frame says where it ends, so no separator inside a
 * value can imitate another row, and NULL differs from an empty text. A row's text is its columns' frames in order.
 */
import type { Column } from "../dataset/column.ts";
import type { ColumnType, ScalarType } from "../dataset/column_type.ts";
import { identifier } from "../engine/quote.ts";

/**
 * DuckDB expression giving a column's text, or NULL for NULL.
 *
 * @example
 * ```ts
 * import { columnText } from "./row_text.ts";
 * import { types } from "../dataset/column_type.ts";
 * import assert from "node:assert/strict";
 *
 * const sql = columnText({ name: "paid", type: types.boolean, nullable: true });
 * assert.equal(sql, `CASE "paid" WHEN true THEN 't' WHEN false THEN 'f' END`);
 * ```
 */
export function columnText(column: Column): string {
  return valueText(identifier(column.name), column.type);
}

/** DuckDB expression giving the MD5 of a row's text as 32 hex digits. */
export function rowHash(columns: readonly Column[]): string {
  if (columns.length === 0) throw new RangeError("Cannot hash a row of no columns");
  // Not joined by ||: a thousand columns would nest deeper than the engine allows.
  return `md5(concat(${columns.map((column) => framed(columnText(column))).join(", ")}))`;
}

function valueText(value: string, type: ColumnType): string {
  if (type.kind !== "list") return scalarText(value, type);
  const element = framed(scalarText("element", type.element));
  return `len(${value}) || '[' || array_to_string(list_transform(${value}, lambda element: ${element}), '')`;
}

function scalarText(value: string, type: ScalarType): string {
  switch (type.kind) {
    case "boolean":
      return `CASE ${value} WHEN true THEN 't' WHEN false THEN 'f' END`;
    case "float32":
    case "float64":
      return `CASE WHEN isnan(${value}) THEN 'nan' ELSE lower(hex(${value}::BIT::BLOB)) END`;
    case "decimal":
      return decimalText(`${value}::VARCHAR`, type);
    case "binary":
      return `md5(${value})`;
    case "date":
      return `(${value} - DATE '1970-01-01')::VARCHAR`;
    case "timestamp":
    case "timestamptz":
      return `epoch_us(${value})::VARCHAR`;
    default:
      return `${value}::VARCHAR`;
  }
}

/** DuckDB prints 0.5 as `.5` where every digit is a fraction digit and PostgreSQL does not: neither prints the 0 here. */
function decimalText(text: string, type: { readonly precision: number; readonly scale: number }): string {
  return type.precision === type.scale ? `regexp_replace(${text}, '^(-?)0\\.', '\\1.')` : text;
}

function framed(text: string): string {
  return `coalesce(length(${text}) || ':' || ${text}, '-')`;
}
