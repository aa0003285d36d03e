/** Values as text that loses nothing: for files and for other programs. */
import {
  DuckDBArrayType,
  DuckDBArrayValue,
  DuckDBBlobValue,
  DuckDBListType,
  DuckDBListValue,
  DuckDBMapType,
  DuckDBMapValue,
  DuckDBStructType,
  DuckDBStructValue,
  type DuckDBType,
  DuckDBUnionValue,
  type DuckDBValue,
} from "@duckdb/node-api";
import { cellJson, cellText } from "../../notebook/cell_text.ts";

/**
 * A value as JSON. Numbers that a double holds to their last digit are numbers, others texts; instants are ISO 8601 in UTC; bytes
 * are `\x` and hexadecimal digits, as PostgreSQL writes them.
 */
export function jsonText(value: DuckDBValue, type?: DuckDBType): string {
  if (value === null) return "null";
  if (typeof value === "string") return JSON.stringify(value);
  if (value instanceof DuckDBBlobValue) return JSON.stringify(bytesText(value));
  if (value instanceof DuckDBUnionValue) return jsonText(value.value);
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue) {
    const item = type instanceof DuckDBListType || type instanceof DuckDBArrayType ? type.valueType : undefined;
    return `[${value.items.map((each) => jsonText(each, item)).join(",")}]`;
  }
  if (value instanceof DuckDBStructValue) return structText(value, type);
  if (value instanceof DuckDBMapValue) return mapText(value, type);
  if (type === undefined) return JSON.stringify(typeof value === "bigint" ? String(value) : value);
  return JSON.stringify(cellJson(value, type));
}

function structText({ entries }: DuckDBStructValue, type: DuckDBType | undefined): string {
  const types = type instanceof DuckDBStructType ? type.entryTypes : [];
  const fields = Object.entries(entries).map(([name, value], index) =>
    `${JSON.stringify(name)}:${jsonText(value, types[index])}`
  );
  return `{${fields.join(",")}}`;
}

function mapText({ entries }: DuckDBMapValue, type: DuckDBType | undefined): string {
  const held = type instanceof DuckDBMapType ? type.valueType : undefined;
  return `{${entries.map(({ key, value }) => `${JSON.stringify(String(key))}:${jsonText(value, held)}`).join(",")}}`;
}

/** A value as a field of CSV (RFC 4180): NULL is nothing, the empty text is `""`, what is nested is JSON. */
export function csvField(value: DuckDBValue, type: DuckDBType): string {
  if (value === null) return "";
  if (typeof value === "string") return quoted(value);
  if (value instanceof DuckDBBlobValue) return bytesText(value);
  return quoted(isNested(value) ? jsonText(value, type) : cellText(value, type));
}

/** Quotes where they are needed. */
export function quoted(text: string): string {
  return text === "" || /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function bytesText({ bytes }: DuckDBBlobValue): string {
  return `\\x${bytes.toHex()}`;
}

function isNested(value: DuckDBValue): boolean {
  return [DuckDBListValue, DuckDBArrayValue, DuckDBStructValue, DuckDBMapValue, DuckDBUnionValue].some((nested) =>
    value instanceof nested
  );
}
