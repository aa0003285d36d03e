/**
 * How long rows stay in a lake table whose partitions leave it with their time. The time is read out of a column's text, in JavaScript
 * and in SQL alike, so that what leaves the lake and what is left out of a comparison with the source are the same rows.
 */
import type { ColumnType } from "./column_type.ts";

/** What says how long rows stay. */
export interface RowRetention {
  /** The column that holds their time. */
  readonly column: string;
  /**
   * How the time is spelled in the column's text, in the letters of Java's `DateTimeFormatter`: `yyyyMMddHH`, of a date always
   * `yyyy-MM-dd`.
   */
  readonly formatter: string;
  /** Since that time, milliseconds. */
  readonly keepMs: number;
}

/** Texts of times up to one: those of this shape that do not stand above the last. */
export interface OldTexts {
  /** A regular expression that PostgreSQL, DuckDB and JavaScript read alike. */
  readonly shape: string;
  readonly last: string;
}

/** Of each letter: its digits in an ISO text, and what they may be. */
const fields = [
  { letters: ["yyyy", "uuuu"], at: 0, shape: "[0-9]{4}" },
  { letters: ["MM"], at: 5, shape: "(0[1-9]|1[0-2])" },
  { letters: ["dd"], at: 8, shape: "(0[1-9]|[12][0-9]|3[01])" },
  { letters: ["HH"], at: 11, shape: "([01][0-9]|2[0-3])" },
  { letters: ["mm"], at: 14, shape: "[0-5][0-9]" },
  { letters: ["ss"], at: 17, shape: "[0-5][0-9]" },
] as const;

/** A field, or text that stands for itself. */
type Part = typeof fields[number] | string;

/** Year, month and day at least, each followed by a smaller one, so that texts stand in the order of their times. */
function partsOf(formatter: string): readonly Part[] | undefined {
  const tokens = formatter.match(/[a-zA-Z]+|'[^']*'|[^a-zA-Z']+/g) ?? [];
  const parts = tokens.flatMap((token): readonly (Part | undefined)[] => {
    if (!/^[a-zA-Z]/.test(token)) return [token.replaceAll("'", "")];
    return (token.match(/([a-zA-Z])\1*/g) ?? []).map((letters) =>
      fields.find((field) => field.letters.some((one) => one === letters))
    );
  });
  if (parts.some((part) => part === undefined || (typeof part === "string" && !/^[-/:_ T]*$/.test(part)))) {
    return undefined;
  }
  const found = (parts as Part[]).filter((part) => typeof part !== "string");
  return found.length >= 3 && found.every((field, index) => field === fields[index]) ? parts as Part[] : undefined;
}

/** No text of four digits a year stands before it. */
const firstMs = Date.parse("0001-01-01T00:00:00Z");

/** Whether times spelled so can be told from other texts and compared. */
export function isReadableFormatter(formatter: string): boolean {
  return partsOf(formatter) !== undefined;
}

/**
 * The texts of rows that are older than a retention allows.
 *
 * @param nowMs Epoch milliseconds.
 * @throws {RangeError} For a formatter that {@linkcode isReadableFormatter} refuses.
 */
export function oldTexts({ formatter, keepMs }: RowRetention, nowMs: number): OldTexts {
  const parts = partsOf(formatter);
  if (parts === undefined) throw new RangeError(`Cannot read times spelled ${formatter}`);
  // A text says when its time begins: it is older than a limit if it is that of the moment before, or of an earlier one.
  const iso = new Date(Math.max(firstMs, nowMs - keepMs - 1)).toISOString();
  const last = parts.map((part) =>
    typeof part === "string" ? part : iso.slice(part.at, part.at + part.letters[0].length)
  );
  // PostgreSQL's SIMILAR TO takes a bare underscore for any character.
  const shape = parts.map((part) => typeof part === "string" ? part.replaceAll("_", "[_]") : part.shape);
  return { shape: shape.join(""), last: last.join("") };
}

/** Rows that may have left a table with their time: those whose text of a column is among some. */
export interface OldRows {
  readonly column: string;
  readonly texts: OldTexts;
}

/**
 * Which rows of a table may have left it by now, or may do so within a day: others count time in another zone.
 *
 * @param nowMs Epoch milliseconds, taken once the table has been looked at.
 */
export function oldRows(retention: RowRetention, nowMs: number): OldRows {
  return { column: retention.column, texts: oldTexts(retention, nowMs + dayMs) };
}

const dayMs = 86_400_000;

/** Whether a text is among them. */
export function isOldText(text: string, { shape, last }: OldTexts): boolean {
  return text <= last && new RegExp(`^${shape}$`).test(text);
}

/**
 * SQL of PostgreSQL and DuckDB that says whether a column's row text (`verify/row_text.ts`) is among them; NULL for none. Of a date it
 * is the days since 1970. Nothing in it needs quoting.
 */
export function oldTextSql(text: string, { shape, last }: OldTexts, { kind }: ColumnType): string {
  if (kind === "date") return `${text}::integer <= ${Date.parse(last) / 86_400_000}`;
  return `(${text} SIMILAR TO '${shape}' AND ${text} COLLATE "C" <= '${last}')`;
}

/** SQL of DuckDB that says so of a column's value. */
export function oldValueSql(value: string, old: OldTexts, type: ColumnType): string {
  return oldTextSql(type.kind === "date" ? `(${value} - DATE '1970-01-01')` : `${value}::VARCHAR`, old, type);
}
