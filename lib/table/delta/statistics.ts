/**
 * Statistics of data files (Delta protocol, "Per-file Statistics"), written and read back.
 *
 * Promise: a least value is never above any value of the file and a greatest never below; where that cannot be known there is
 * none, because a wrong one loses rows silently. Numbers keep every digit.
 */
import { isInstant, type ScalarType } from "../../dataset/column_type.ts";
import type { DataFile } from "../data_file.ts";
import { stringifyJson } from "../lossless_json.ts";
import { raisedText } from "../raised_text.ts";
import type { ColumnBounds } from "../row_lookup.ts";
import { singleValue } from "../single_value.ts";
import { daysOf, microsecondsOf } from "../time_text.ts";
import type { AddFile } from "./actions.ts";
import { decimalText, valueBound } from "./partition_values.ts";
import { columnType, type DeltaField, physicalName } from "./schema.ts";

/** Columns with statistics, beside the key: the protocol's default, because every commit carries them. */
export const indexedColumns = 32;
/** Code points of a text. */
const textLength = 32;
const millisecondMicros = 1000n;

/** The statistics of a new file as JSON text. */
export function statisticsOf(
  file: DataFile,
  { fields, key }: { readonly fields: readonly DeltaField[]; readonly key: readonly string[] },
): string {
  const [minValues, maxValues, nullCount]: Record<string, unknown>[] = [{}, {}, {}];
  for (const [index, field] of fields.entries()) {
    const name = physicalName(field);
    const found = file.statistics.get(name);
    const type = columnType(field.type);
    if (found === undefined || type.kind === "list" || (index >= indexedColumns && !key.includes(name))) continue;
    nullCount![name] = found.nulls;
    // NaN is above every other value to some readers, and no bound can say so.
    if (isFloating(type) && found.hasNan !== false) continue;
    const least = found.min === undefined ? undefined : leastValue(type, found.min);
    const greatest = found.max === undefined ? undefined : greatestValue(type, found.max);
    if (least !== undefined) minValues![name] = least;
    if (greatest !== undefined) maxValues![name] = greatest;
  }
  return stringifyJson({ numRecords: file.rows, minValues, maxValues, nullCount, tightBounds: true });
}

/** Whether NaN is among the values that a column may have. */
export function isFloating({ kind }: ScalarType): boolean {
  return kind === "float32" || kind === "float64";
}

/** JSON value of a column's least value in DuckDB's text form. */
function leastValue(type: ScalarType, text: string): unknown {
  if (type.kind === "string") return [...text].slice(0, textLength).join("");
  if (isFloating(type) && Number(text) === 0) return JSON.rawJSON("-0.0");
  return instantValue(type, text, "down") ?? plainValue(type, text);
}

function greatestValue(type: ScalarType, text: string): unknown {
  if (type.kind === "string") return raisedText(text, textLength);
  if (isFloating(type) && Number(text) === 0) return 0;
  return instantValue(type, text, "up") ?? plainValue(type, text);
}

function plainValue(type: ScalarType, text: string): unknown {
  switch (type.kind) {
    case "int32":
    case "int64":
      return BigInt(text);
    case "decimal":
      return /^-?\d+(\.\d+)?$/.test(text) ? JSON.rawJSON(text) : undefined;
    case "float32":
    case "float64": {
      const value = type.kind === "float32" ? Math.fround(Number(text)) : Number(text);
      return Number.isFinite(value) ? value : undefined;
    }
    case "date":
      return daysOf(text) === undefined ? undefined : text;
    default:
      return undefined;
  }
}

/** Instants have milliseconds: one with microseconds lies between two of them. */
function instantValue(type: ScalarType, text: string, direction: "up" | "down"): string | undefined {
  if (type.kind !== "timestamp" && type.kind !== "timestamptz") return undefined;
  const micros = microsecondsOf(text);
  return micros === undefined ? undefined : isoInstant(type, micros, direction);
}

/** An instant of whole milliseconds that is not above, or not below, one of microseconds; undefined beyond the year 9999. */
export function isoInstant({ kind }: ScalarType, micros: bigint, direction: "up" | "down"): string | undefined {
  const below = micros - (((micros % millisecondMicros) + millisecondMicros) % millisecondMicros);
  const rounded = direction === "up" && below !== micros ? below + millisecondMicros : below;
  const iso = new Date(Number(rounded / millisecondMicros)).toISOString();
  // The year after 9999 has no plain form.
  if (iso.startsWith("+")) return undefined;
  return kind === "timestamp" ? iso.slice(0, -1) : iso;
}

/** Statistics with numbers as the text they were written in. */
interface ReadStatistics {
  readonly numRecords?: string;
  readonly minValues?: Readonly<Record<string, unknown>>;
  readonly maxValues?: Readonly<Record<string, unknown>>;
}

/** Statistics only save work: a file whose own cannot be read has none. */
function read({ stats = "{}" }: AddFile): ReadStatistics {
  const numbersAsText = (_key: string, value: unknown, context: { readonly source?: string }) =>
    typeof value === "number" ? context.source : value;
  try {
    const found = JSON.parse(stats, numbersAsText as (key: string, value: unknown) => unknown);
    return typeof found === "object" && found !== null ? found as ReadStatistics : {};
  } catch {
    return {};
  }
}

/** Rows of a file, deleted ones too; undefined where it does not say. */
export function recordCount(add: AddFile): bigint | undefined {
  const { numRecords } = read(add);
  return numRecords !== undefined && /^\d+$/.test(numRecords) ? BigInt(numRecords) : undefined;
}

/** By file and physical name: keys are looked up in every file with every batch, and its statistics are long. */
const knownBounds = new WeakMap<AddFile, Map<string, ColumnBounds>>();

/** Bounds of a column as `single_value.ts` has them. */
export function boundsOf(add: AddFile, field: DeltaField): ColumnBounds {
  const known = knownBounds.get(add) ?? new Map<string, ColumnBounds>();
  knownBounds.set(add, known);
  const name = physicalName(field);
  const bounds = known.get(name) ?? readBounds(add, field);
  known.set(name, bounds);
  return bounds;
}

function readBounds(add: AddFile, field: DeltaField): ColumnBounds {
  const type = columnType(field.type);
  if (type.kind === "list") return {};
  if (Object.hasOwn(add.partitionValues, physicalName(field))) {
    const bound = valueBound(field, add);
    return { lower: bound, upper: bound };
  }
  const { minValues, maxValues } = read(add);
  const lower = readBound(type, minValues?.[physicalName(field)]);
  const upper = readBound(type, maxValues?.[physicalName(field)]);
  return { lower, upper: upper !== undefined && isInstant(type) ? nextMillisecond(upper) : upper };
}

/** Some writers cut microseconds off a greatest value instead of raising it. */
function nextMillisecond(bound: Uint8Array): Uint8Array {
  const raised = bound.slice();
  const view = new DataView(raised.buffer);
  view.setBigInt64(0, view.getBigInt64(0, true) + millisecondMicros, true);
  return raised;
}

function readBound(type: ScalarType, value: unknown): Uint8Array | undefined {
  if (typeof value !== "string" || type.kind === "boolean" || type.kind === "binary") return undefined;
  const text = type.kind === "decimal"
    ? decimalText(value, type)
    : isInstant(type)
    ? value.replace("T", " ").replace(/Z$/, "")
    : value;
  if (text === undefined || ((type.kind === "int32" || type.kind === "int64") && !/^-?\d+$/.test(text))) {
    return undefined;
  }
  return singleValue(type, text);
}

/** Statistics of a file that has a deletion vector now: its bounds may be those of rows that left. */
export function loosened(stats: string | undefined): string | undefined {
  if (stats === undefined || /"tightBounds"\s*:\s*false/.test(stats)) return stats;
  // As text: a number that went through a double would lose digits.
  const loose = stats.replace(/"tightBounds"\s*:\s*true/, '"tightBounds":false');
  return loose === stats ? stats.replace(/\}\s*$/, ',"tightBounds":false}').replace(/^\{\s*,/, "{") : loose;
}
