/**
 * A table as a notebook shows it: HTML, its data as JSON beside it, and plain text.
 *
 * Promise: every text out of the data is escaped; what is shown is bounded by the rows given and by {@linkcode cellText}.
 */
import type { DuckDBType, DuckDBValue } from "@duckdb/node-api";
import { formatCount } from "../cli/format.ts";
import { renderTable } from "../cli/table.ts";
import { cellJson, cellText, isNumeric } from "./cell_text.ts";
import { escaped } from "./html_text.ts";

/** What a notebook asks for, by the name that Deno's kernel looks for. */
export const display = Symbol.for("Jupyter.display");

/** Forms of one output by their media type; the notebook takes the one it likes best. */
export type MediaBundle = Readonly<Record<string, unknown>>;

/** Something that a notebook shows as more than a text. */
export interface Displayed {
  [display](): MediaBundle | Promise<MediaBundle>;
}

/** A column by its name and DuckDB's type. */
export interface DisplayedColumn {
  readonly name: string;
  readonly type: DuckDBType;
}

/** The beginning of a table, and how many rows all of it has. */
export interface DisplayedTable {
  readonly columns: readonly DisplayedColumn[];
  readonly rows: readonly (readonly DuckDBValue[])[];
  readonly totalRows: bigint;
  /** Sentences to stand below it. Default: none. */
  readonly notes?: readonly string[];
}

/** Rows shown to be read. */
const readRows = 20;
/** Rows given to tools that make tables of their own out of the JSON: no more than these are shown anywhere. */
export const mostShownRows = 200;

/** Every form of a table. */
export function tableBundle(table: DisplayedTable): MediaBundle {
  return {
    "text/html": html(table),
    "application/vnd.dataresource+json": dataResource(table),
    "text/plain": plainText(table),
  };
}

function sizeText({ columns, rows, totalRows }: DisplayedTable): string {
  const shown = Math.min(rows.length, readRows);
  const size = `${counted(totalRows, "row")} × ${counted(BigInt(columns.length), "column")}`;
  return BigInt(shown) < totalRows ? `${size}, the first ${formatCount(shown)} shown` : size;
}

function counted(count: bigint, what: string): string {
  return `${formatCount(count)} ${what}${count === 1n ? "" : "s"}`;
}

/** Colours come from the notebook, so that dark ones stay dark. Jupyter's own alignment is that of a narrower selector. */
const style = `<style>
.weir-table{border-collapse:collapse;font-size:12px;font-variant-numeric:tabular-nums}
.weir-table th,.weir-table td{padding:2px 8px;text-align:left!important;vertical-align:top;border:0;white-space:pre;` +
  `max-width:28em;overflow:hidden;text-overflow:ellipsis}
.weir-table thead th{border-bottom:1px solid currentColor}
.weir-table .weir-number{text-align:right!important}
.weir-table small,.weir-table .weir-null,.weir-note{opacity:.6;font-weight:normal}
.weir-note{font-size:12px;margin:4px 8px}
</style>`;

function html(table: DisplayedTable): string {
  const { columns, notes = [] } = table;
  const align = columns.map(({ type }) => isNumeric(type) ? ' class="weir-number"' : "");
  const head = columns.map(({ name, type }, index) =>
    `<th scope="col"${align[index]}>${escaped(name)}<br><small>${escaped(shortType(type))}</small></th>`
  );
  const body = table.rows.slice(0, readRows).map((row) => {
    const cells = columns.map(({ type }, index) => cellHtml(row[index] ?? null, type, align[index] ?? ""));
    return `<tr>${cells.join("")}</tr>`;
  });
  const below = [sizeText(table), ...notes].map((note) => `<div class="weir-note">${escaped(note)}</div>`).join("");
  const rows = `<thead><tr>${head.join("")}</tr></thead><tbody>${body.join("\n")}</tbody>`;
  return `<div style="overflow-x:auto">${style}<table class="weir-table">${rows}</table>${below}</div>`;
}

function cellHtml(value: DuckDBValue, type: DuckDBType, align: string): string {
  if (value === null) return `<td${align}><span class="weir-null">NULL</span></td>`;
  return `<td${align}>${escaped(cellText(value, type))}</td>`;
}

const mostTypeCharacters = 40;

/** That of a nested column can be longer than its values. */
function shortType(type: DuckDBType): string {
  const text = String(type).replace("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ");
  return text.length <= mostTypeCharacters ? text : `${text.slice(0, mostTypeCharacters)}…`;
}

/** Frictionless Data's table schema, as Jupyter's data explorers read it. */
function dataResource({ columns, rows }: DisplayedTable): unknown {
  const fields = columns.map(({ name, type }) => ({ name, type: fieldType(type) }));
  const data = rows.slice(0, mostShownRows).map((row) =>
    Object.fromEntries(columns.map(({ name, type }, index) => [name, cellJson(row[index] ?? null, type)]))
  );
  return { profile: "tabular-data-resource", schema: { fields }, data };
}

function fieldType(type: DuckDBType): string {
  const text = String(type);
  if (text === "BOOLEAN") return "boolean";
  if (text === "DATE") return "date";
  if (text.startsWith("TIMESTAMP")) return "datetime";
  if (!isNumeric(type)) return "string";
  return text.endsWith("INT") || text === "INTEGER" || text === "UINTEGER" ? "integer" : "number";
}

function plainText(table: DisplayedTable): string {
  const titles = table.columns.map(({ name, type }) => ({
    title: name,
    align: isNumeric(type) ? "right" as const : "left" as const,
  }));
  const rows = table.rows.slice(0, readRows).map((row) =>
    table.columns.map(({ type }, index) => cellText(row[index] ?? null, type))
  );
  return [renderTable(titles, rows), sizeText(table), ...table.notes ?? []].join("\n");
}
