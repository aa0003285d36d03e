/** Statistics of files that another format wrote (Delta protocol, "Per-file Statistics"), out of that format's own. */
import type { ScalarType } from "../../dataset/column_type.ts";
import { stringifyJson } from "../lossless_json.ts";
import type { PublishedColumn, PublishedFile } from "../published_table.ts";
import { boundValue } from "../single_value.ts";
import { dateText } from "../time_text.ts";
import { indexedColumns, isFloating, isoInstant } from "./statistics.ts";

/** The statistics of a file as JSON text. */
export function publishedStatistics(
  file: PublishedFile,
  { columns, key }: { readonly columns: readonly PublishedColumn[]; readonly key: readonly string[] },
): string {
  const [minValues, maxValues, nullCount]: Record<string, unknown>[] = [{}, {}, {}];
  for (const [index, { id, fileName, name, type }] of columns.entries()) {
    if (type.kind === "list" || (index >= indexedColumns && !key.includes(name))) continue;
    const { lower, upper, nulls, hasNoNan } = file.facts(id);
    if (nulls !== undefined) nullCount![fileName] = nulls;
    // NaN is above every other value to some readers, and no bound can say so.
    if (isFloating(type) && !hasNoNan) continue;
    const least = lower && jsonValue(type, lower, "down");
    const greatest = upper && jsonValue(type, upper, "up");
    if (least !== undefined) minValues![fileName] = least;
    if (greatest !== undefined) maxValues![fileName] = greatest;
  }
  const tightBounds = file.deleted === undefined;
  return stringifyJson({ numRecords: file.rows, minValues, maxValues, nullCount, tightBounds });
}

/** Days from 1970 on to both sides for which dates have their plain form. */
const mostDays = 719_000;

function jsonValue(type: ScalarType, bound: Uint8Array, direction: "up" | "down"): unknown {
  const value = boundValue(type, bound);
  if (value === undefined || value instanceof Uint8Array) return undefined;
  switch (type.kind) {
    case "int32":
    case "int64":
    case "string":
      return value;
    case "decimal":
      return JSON.rawJSON(decimalText(BigInt(value), type.scale));
    case "float32":
    case "float64":
      if (!Number.isFinite(value)) return undefined;
      // Both zeros are one to some readers and two to others.
      return value === 0 ? JSON.rawJSON(direction === "down" ? "-0.0" : "0.0") : value;
    case "date":
      return Math.abs(Number(value)) < mostDays ? dateText(Number(value)) : undefined;
    case "timestamp":
    case "timestamptz":
      return isoInstant(type, BigInt(value), direction);
    default:
      return undefined;
  }
}

function decimalText(unscaled: bigint, scale: number): string {
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, "0");
  const sign = unscaled < 0n ? "-" : "";
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}
