/**
 * Column statistics of a data file as its manifest entry holds them (Paimon `SimpleStats`, `SimpleStatsConverter`).
 *
 * Promise: a bound never excludes a value that is in the file. What cannot be bounded safely is null: readers take
 * unknown as "may match".
 */
import type { ScalarType } from "../../dataset/column_type.ts";
import type { ColumnStatistics } from "../../engine/column_statistics.ts";
import type { DataFile } from "../data_file.ts";
import { type KeyValue, serializeRow } from "./binary_row.ts";
import type { KeyColumn } from "./key_columns.ts";
import type { SimpleStatistics } from "./manifest.ts";
import type { PaimonField } from "./schema.ts";

/** Characters kept of a string's bounds: Paimon's default `truncate(16)`. */
const boundCharacters = 16;

/**
 * Value statistics of a file, of every column of the schema it is written with. A list of only those columns that have any
 * would be shorter, but pypaimon (1.4.2 and 2.0.0) looks its names and types up in the newest schema: it fails once one of
 * them is renamed or dropped, and misreads the bounds of one that is widened.
 */
export function valueStatistics(file: DataFile, fields: readonly PaimonField[]): SimpleStatistics {
  const found = fields.map(({ name }) => file.statistics.get(name));
  // A list has no bounds, so the type of its null does not matter.
  const types = fields.map(({ type }) => type.kind === "list" ? type.element : type);
  const bounds = fields.map(({ type }, index) => {
    const statistics = found[index];
    return statistics && type.kind !== "list" ? boundsOf(type, statistics) : undefined;
  });
  return {
    _MIN_VALUES: serializeRow(types, bounds.map((bound) => bound?.min ?? null)),
    _MAX_VALUES: serializeRow(types, bounds.map((bound) => bound?.max ?? null)),
    _NULL_COUNTS: found.map((statistics) => statistics?.nulls ?? null),
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

/** Whether every reader decodes a bound: pypaimon 1.4.2 misreads those of microseconds and of decimals beyond 18 digits. */
export function readableBound(type: ScalarType): boolean {
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
