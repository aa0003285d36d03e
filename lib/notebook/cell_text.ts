/** One value as people read it in a table: exact where it is short, cut where it is long. */
import {
  DuckDBArrayValue,
  DuckDBBlobValue,
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  type DuckDBType,
  DuckDBTypeId,
  type DuckDBValue,
} from "@duckdb/node-api";

const mostCharacters = 160;
const mostItems = 4;
const mostFields = 8;
const mostBytes = 16;

/**
 * A value's text. Instants are in UTC, of lists the first values and their number are shown, of bytes the first in hexadecimal.
 *
 * @example
 * ```ts
 * import { DuckDBBlobValue, DuckDBListValue, DuckDBTimestampTZValue } from "@duckdb/node-api";
 * import { cellText } from "./cell_text.ts";
 * import assert from "node:assert/strict";
 *
 * assert.equal(cellText(null), "NULL");
 * assert.equal(cellText(2n ** 60n), "1152921504606846976");
 * assert.equal(cellText(new DuckDBTimestampTZValue(1_500_000n)), "1970-01-01 00:00:01.5Z");
 * assert.equal(cellText(new DuckDBListValue([1, 2, 3, 4, 5, 6])), "[1, 2, 3, 4, … 6 values]");
 * assert.equal(cellText(new DuckDBBlobValue(new Uint8Array([1, 255]))), "0x01ff");
 * ```
 */
export function cellText(value: DuckDBValue, type?: DuckDBType): string {
  if (value === null) return "NULL";
  if (typeof value === "string") return cut(value);
  if (typeof value === "number") return type?.typeId === DuckDBTypeId.FLOAT ? floatText(value) : String(value);
  if (value instanceof DuckDBTimestampTZValue) return instantText(value);
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue) return listText(value.items);
  if (value instanceof DuckDBBlobValue) return bytesText(value.bytes);
  if (value instanceof DuckDBStructValue) return fieldsText(Object.entries(value.entries));
  if (value instanceof DuckDBMapValue) {
    return fieldsText(value.entries.map(({ key, value: held }): [string, DuckDBValue] => [cellText(key), held]));
  }
  return cut(String(value));
}

/** Whether values of a type read better to the right. */
export function isNumeric({ typeId }: DuckDBType): boolean {
  return numeric.has(typeId);
}

const numeric: ReadonlySet<DuckDBTypeId> = new Set([
  DuckDBTypeId.TINYINT,
  DuckDBTypeId.SMALLINT,
  DuckDBTypeId.INTEGER,
  DuckDBTypeId.BIGINT,
  DuckDBTypeId.UTINYINT,
  DuckDBTypeId.USMALLINT,
  DuckDBTypeId.UINTEGER,
  DuckDBTypeId.UBIGINT,
  DuckDBTypeId.HUGEINT,
  DuckDBTypeId.UHUGEINT,
  DuckDBTypeId.FLOAT,
  DuckDBTypeId.DOUBLE,
  DuckDBTypeId.DECIMAL,
]);

/** Without half of a surrogate pair at its end. */
function cut(text: string): string {
  return text.length <= mostCharacters ? text : `${text.slice(0, mostCharacters).replace(/[\ud800-\udbff]$/, "")}…`;
}

/** The shortest text that is this float of 32 bits: 0.1, where JavaScript's number is 0.10000000149011612. */
function floatText(value: number): string {
  for (let digits = 6; digits < 9; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return String(Number(text));
  }
  return String(value);
}

function instantText(value: DuckDBTimestampTZValue): string {
  // What has no time zone is written as it stands, and so in UTC.
  const text = String(new DuckDBTimestampValue(value.micros));
  return value.isFinite ? `${text}Z` : text;
}

function listText(items: readonly DuckDBValue[]): string {
  const shown = items.slice(0, mostItems).map(itemText);
  const rest = items.length > mostItems ? [`… ${items.length} values`] : [];
  return `[${[...shown, ...rest].join(", ")}]`;
}

function itemText(value: DuckDBValue): string {
  return typeof value === "number" && !Number.isInteger(value) ? String(Number(value.toPrecision(4))) : cellText(value);
}

function fieldsText(entries: readonly (readonly [string, DuckDBValue])[]): string {
  const shown = entries.slice(0, mostFields).map(([name, value]) => `${name}: ${cellText(value)}`);
  const rest = entries.length > mostFields ? [`… ${entries.length} fields`] : [];
  return cut(`{${[...shown, ...rest].join(", ")}}`);
}

function bytesText(bytes: Uint8Array): string {
  const shown = bytes.subarray(0, mostBytes).toHex();
  return bytes.length > mostBytes ? `0x${shown}… ${bytes.length} bytes` : `0x${shown}`;
}

/** A value as JSON holds it: as a number where that is exact to the digits shown, else as a text. */
export function cellJson(value: DuckDBValue, type: DuckDBType): boolean | number | string | null {
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isFinite(value) ? Number(cellText(value, type)) : String(value);
  if (typeof value === "bigint") return exactNumber(value) ?? String(value);
  if (value instanceof DuckDBDecimalValue) {
    return exactNumber(value.value) === undefined ? String(value) : value.toDouble();
  }
  return isTime(value) ? cellText(value, type).replace(" ", "T") : cellText(value, type);
}

function isTime(value: DuckDBValue): boolean {
  return value instanceof DuckDBTimestampTZValue || value instanceof DuckDBTimestampValue;
}

function exactNumber(value: bigint): number | undefined {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : undefined;
}
