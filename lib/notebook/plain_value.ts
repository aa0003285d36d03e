/** DuckDB's values as JavaScript has them. */
import {
  DuckDBArrayValue,
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampMillisecondsValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampSecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBUnionValue,
  type DuckDBValue,
} from "@duckdb/node-api";

/** A value of a plain row. */
export type PlainValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Date
  | Uint8Array
  | readonly PlainValue[]
  | { readonly [name: string]: PlainValue };

/** A row, values by column. */
export type PlainRow = Readonly<Record<string, PlainValue>>;

const msPerDay = 86_400_000;

/**
 * A value as JavaScript has it, without loss but for one: an instant is a `Date`, which knows milliseconds (one outside of its range,
 * or infinite, is an invalid `Date`). 64-bit integers are `bigint`, decimals are texts with all their digits, dates are midnight UTC,
 * times, intervals and UUIDs are texts.
 */
export function plainValue(value: DuckDBValue): PlainValue {
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue) return value.items.map(plainValue);
  if (value instanceof DuckDBStructValue) return mapped(Object.entries(value.entries));
  if (value instanceof DuckDBMapValue) {
    return mapped(value.entries.map(({ key, value: held }): [string, DuckDBValue] => [String(key), held]));
  }
  if (value instanceof DuckDBUnionValue) return plainValue(value.value);
  if (value instanceof DuckDBBlobValue) return value.bytes;
  return plainInstant(value) ?? String(value);
}

/** As {@linkcode plainValue}, but a number wherever it is one: for charts, where a pixel is the precision. */
export function numericValue(value: DuckDBValue): PlainValue {
  if (typeof value === "bigint") return Number(value);
  return value instanceof DuckDBDecimalValue ? value.toDouble() : plainValue(value);
}

function mapped(entries: readonly (readonly [string, DuckDBValue])[]): PlainValue {
  return Object.fromEntries(entries.map(([name, value]) => [name, plainValue(value)]));
}

function plainInstant(value: DuckDBValue): Date | undefined {
  if (value instanceof DuckDBDateValue) return new Date(value.isFinite ? value.days * msPerDay : NaN);
  if (value instanceof DuckDBTimestampTZValue || value instanceof DuckDBTimestampValue) {
    return dateOf(value.micros, 1000n);
  }
  if (value instanceof DuckDBTimestampNanosecondsValue) return dateOf(value.nanos, 1_000_000n);
  if (value instanceof DuckDBTimestampMillisecondsValue) return dateOf(value.millis, 1n);
  if (value instanceof DuckDBTimestampSecondsValue) return new Date(Number(value.seconds) * 1000);
}

/** Rounds down, as a clock does. */
function dateOf(units: bigint, unitsPerMs: bigint): Date {
  const whole = units / unitsPerMs;
  return new Date(Number(units < whole * unitsPerMs ? whole - 1n : whole));
}
