/**
 * Column statistics of a data file as its manifest entry holds them, "dense": only the columns that have any
 * (Paimon `SimpleStats`, `SimpleStatsConverter`).
 *
 * Promise: a bound never excludes a value that is in the file. What cannot be bounded safely is left out: readers take
 * unknown as "may match".
 */
import type { ScalarType } from "../../dataset/column_type.ts";
import type { ColumnStatistics, DataFile } from "../data_file.ts";
import { type KeyValue, serializeRow } from "./binary_row.ts";
import type { KeyColumn } from "./key_columns.ts";
import type { SimpleStatistics } from "./manifest.ts";
import type { PaimonField } from "./schema.ts";

/** Characters kept of a string's bounds: Paimon's default `truncate(16)`. */
const boundCharacters = 16;

/** Value statistics of a file and the columns they are of. */
export function valueStatistics(
  file: DataFile,
  fields: readonly PaimonField[],
): { readonly columns: readonly string[]; readonly statistics: SimpleStatistics } {
  const kept = fields.flatMap((field) => {
    const found = file.statistics.get(field.name);
    const bounds = found && field.type.kind !== "list" ? boundsOf(field.type, found) : undefined;
    return bounds === undefined ? [] : [{ name: field.name, type: field.type as ScalarType, bounds, found: found! }];
  });
  const types = kept.map(({ type }) => type);
  return {
    columns: kept.map(({ name }) => name),
    statistics: {
      _MIN_VALUES: serializeRow(types, kept.map(({ bounds }) => bounds.min)),
      _MAX_VALUES: serializeRow(types, kept.map(({ bounds }) => bounds.max)),
      _NULL_COUNTS: kept.map(({ found }) => found.nulls),
    },
  };
}

/** Exact smallest and largest values of the key columns. */
export interface KeyBounds {
  readonly min: readonly KeyValue[];
  readonly max: readonly KeyValue[];
}

/** Key statistics: one column for each key column, null where pypaimon 1.4.2 would misread the bound. */
export function keyStatistics(key: readonly KeyColumn[], bounds: KeyBounds): SimpleStatistics {
  const types = key.map(({ type }) => type);
  const readable = (values: readonly KeyValue[]) =>
    values.map((value, index) => readableBound(types[index]!) ? value : null);
  return {
    _MIN_VALUES: serializeRow(types, readable(bounds.min)),
    _MAX_VALUES: serializeRow(types, readable(bounds.max)),
    _NULL_COUNTS: key.map(() => 0n),
  };
}

/** pypaimon 1.4.2 misreads bounds of timestamps of microseconds and of decimals beyond 18 digits. */
function readableBound(type: ScalarType): boolean {
  if (type.kind === "decimal") return type.precision <= 18;
  return type.kind !== "timestamp" && type.kind !== "timestamptz";
}

function boundsOf(type: ScalarType, found: ColumnStatistics): { min: KeyValue; max: KeyValue } | undefined {
  if (!readableBound(type) || type.kind === "binary" || found.hasNan === true) return undefined;
  const { min, max } = found;
  if (min === undefined || max === undefined) return undefined;
  if (type.kind === "string") return stringBounds(min, max);
  const low = parseValue(type, min);
  const high = parseValue(type, max);
  // Java sorts -0 below 0, DuckDB does not tell them apart: the bounds take in both.
  if (type.kind !== "float32" && type.kind !== "float64") return { min: low, max: high };
  return { min: low === 0 ? -0 : low, max: high === 0 ? 0 : high };
}

/** DuckDB's text of a value as BinaryRow holds it. */
function parseValue(type: ScalarType, text: string): KeyValue {
  switch (type.kind) {
    case "boolean":
      return text === "true";
    case "int32":
      return Number(text);
    case "float32":
    case "float64":
      return Number(text.replace("inf", "Infinity"));
    case "date":
      return parseDate(text);
    case "decimal":
      return BigInt(text.replace(".", ""));
    default:
      return BigInt(text);
  }
}

/** Days since 1970-01-01, or unknown for a year that needs more than four digits. */
function parseDate(text: string): number | null {
  const millis = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : NaN;
  return Number.isNaN(millis) ? null : millis / 86_400_000;
}

function stringBounds(min: string, max: string): { min: KeyValue; max: KeyValue } | undefined {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const low = [...min].slice(0, boundCharacters).join("");
  const high = upperBound(max);
  return { min: bytes(low), max: high === undefined ? null : bytes(high) };
}

/** The first characters with the last one raised, so that it stands above every text that begins with them. */
function upperBound(text: string): string | undefined {
  const points = [...text].map((character) => character.codePointAt(0)!);
  if (points.length <= boundCharacters) return text;
  for (let end = boundCharacters; end > 0; end--) {
    const raised = points[end - 1]! + 1;
    // The code points above U+D7FF that belong to surrogates are no characters: the next is U+E000.
    const next = raised === 0xd800 ? 0xe000 : raised;
    if (next <= 0x10ffff) return String.fromCodePoint(...points.slice(0, end - 1), next);
  }
  return undefined;
}
