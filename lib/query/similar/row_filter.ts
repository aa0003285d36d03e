/** Conditions on columns as people write them, turned into SQL that holds nothing but quoted names and values. */
import type { Column } from "../../dataset/column.ts";
import { duckdbType } from "../../dataset/column_type.ts";
import type { Connection } from "../../engine/connection.ts";
import { identifier, literal } from "../../engine/quote.ts";
import { WeirError } from "../../errors.ts";
import { nearest } from "../../settings/nearest.ts";
import { castProblemSql, wantedValue } from "./typed_value.ts";

/** How a column is compared. A null is different from every value, and neither less nor more than one. */
export const comparisons = ["=", "!=", "<=", ">=", "<", ">"] as const;

/** One condition on a row. */
export interface RowFilter {
  readonly column: string;
  readonly is: (typeof comparisons)[number];
  /** The value, or its text as DuckDB reads it. */
  readonly value: string | number | bigint | boolean;
}

/** A column with the value that it is to be compared with. */
export interface ColumnValue {
  readonly column: string;
  readonly value: RowFilter["value"];
  /** How the value was given, for messages: `--id "5"`. */
  readonly asked: string;
}

/** Whose columns are compared. */
export interface ComparedTable {
  /** For messages: `payments.transactions`. */
  readonly table: string;
  readonly columns: readonly Column[];
  readonly connection: Connection;
}

/**
 * Reads a condition: `amount_value>=100`, `msgtype!=RTCCT`. Undefined where it is none.
 *
 * @example
 * ```ts
 * import { readFilter } from "./row_filter.ts";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(readFilter("children>=2"), { column: "children", is: ">=", value: "2" });
 * assert.equal(readFilter("children"), undefined);
 * ```
 */
export function readFilter(text: string): RowFilter | undefined {
  const [, column = "", is = "", value = ""] = /^([^=!<>]+)(!=|<=|>=|=|<|>)(.*)$/s.exec(text) ?? [];
  const comparison = comparisons.find((known) => known === is);
  return comparison === undefined ? undefined : { column: column.trim(), is: comparison, value: value.trim() };
}

/**
 * The condition of all filters; `TRUE` without any.
 *
 * Throws `configuration` for a column that is not there, with the nearest name, and for a value that its type cannot hold.
 */
export async function filterSql(filters: readonly RowFilter[], table: ComparedTable): Promise<string> {
  const conditions: string[] = [];
  for (const { column, is, value } of filters) {
    const asked = `--filter ${JSON.stringify(`${column}${is}${value}`)}: ${JSON.stringify(String(value))}`;
    const compared = await comparedColumn({ column, value, asked }, table);
    conditions.push(`${compared.name} ${is === "!=" ? "IS DISTINCT FROM" : is} ${compared.value}`);
  }
  return conditions.length === 0 ? "TRUE" : conditions.join(" AND ");
}

/** A column and a value of its type, both as SQL. Throws as {@linkcode filterSql} does. */
export async function comparedColumn(
  { column: name, value, asked }: ColumnValue,
  { table, columns, connection }: ComparedTable,
): Promise<{ readonly name: string; readonly value: string }> {
  const { type } = requireColumn(name, columns);
  if (type.kind === "list" || type.kind === "binary") {
    throw new WeirError("configuration", `Cannot compare column ${name}: it holds ${duckdbType(type)}`, {
      advice: "Compare columns of numbers, texts, dates, times or booleans",
    });
  }
  const text = literal(String(value).replaceAll("\0", ""));
  if (await connection.value(`SELECT ${castProblemSql(text, type)}`)) {
    throw new WeirError("configuration", `${asked} is no value of ${table}.${name} (${duckdbType(type)})`, {
      detail: { table },
      advice: `Give ${wantedValue(type)}`,
    });
  }
  return { name: identifier(name), value: `TRY_CAST(${text} AS ${duckdbType(type)})` };
}

/** A column by its name. Throws `configuration` with the nearest name where there is none. */
export function requireColumn(name: string, columns: readonly Column[]): Column {
  const found = columns.find((column) => column.name === name);
  if (found !== undefined) return found;
  const names = columns.map((column) => column.name);
  const meant = nearest(name, names);
  throw new WeirError("configuration", `The table has no column ${JSON.stringify(name)}`, {
    advice: meant === undefined ? `It has ${names.join(", ")}` : `Did you mean ${meant}?`,
  });
}
