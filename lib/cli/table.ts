/** Tables of text for the terminal. */

/** One column of a table. */
export interface TextColumn {
  readonly title: string;
  /** Default `left`; numbers read better to the right. */
  readonly align?: "left" | "right";
}

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });
// East Asian wide and fullwidth forms, and whatever is shown as a picture (Unicode Standard Annex 11 and 51).
const wide =
  /^(?:[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|.\ufe0f)/u;
const invisible = /^[\p{Cc}\p{Cf}\p{Mn}\p{Me}]+$/u;

/** Each character takes one cell. To look at each would take most of the time of a long table. */
const plain = /^[ -~]*$/;

/** Terminal cells a text takes. */
export function textWidth(text: string): number {
  if (plain.test(text)) return text.length;
  let width = 0;
  for (const { segment } of segmenter.segment(text)) width += invisible.test(segment) ? 0 : wide.test(segment) ? 2 : 1;
  return width;
}

/**
 * A table with a line under its titles and two spaces between columns. Control characters are shown as `�`.
 *
 * @example
 * ```ts
 * import { renderTable } from "./table.ts";
 * import assert from "node:assert/strict";
 *
 * const text = renderTable([{ title: "table" }, { title: "rows", align: "right" }], [["a", "1,000"], ["日本", "7"]]);
 * assert.equal(text, "table   rows\n─────  ─────\na      1,000\n日本       7");
 * ```
 */
export function renderTable(columns: readonly TextColumn[], rows: readonly (readonly string[])[]): string {
  const { head, line } = tableLayout(columns, rows);
  return [head, ...rows.map(line)].join("\n");
}

/** How wide the columns of a table are, for rows that come one after another. */
export interface TableLayout {
  /** The titles and the line under them. */
  readonly head: string;
  /** One row. A cell that is wider than its column moves those behind it. */
  readonly line: (row: readonly string[]) => string;
}

/** Cells that the titles and the cells of some rows take. */
export function columnWidths(columns: readonly TextColumn[], rows: readonly (readonly string[])[]): readonly number[] {
  return columns.map(({ title }, index) =>
    rows.reduce((widest, row) => Math.max(widest, textWidth(printable(row[index] ?? ""))), textWidth(printable(title)))
  );
}

/** Columns as wide as their titles and the cells of some rows. */
export function tableLayout(columns: readonly TextColumn[], rows: readonly (readonly string[])[]): TableLayout {
  const cell: Cell = (text, width, align) => padded(printable(text), width, align);
  return layoutOf(columns, { widths: columnWidths(columns, rows), cell });
}

/** Brings a text to a width. */
export type Cell = (text: string, width: number, align: "left" | "right") => string;

/** Columns of given widths. */
export function layoutOf(
  columns: readonly TextColumn[],
  { widths, cell }: { readonly widths: readonly number[]; readonly cell: Cell },
): TableLayout {
  const line = (texts: readonly string[]) =>
    columns.map(({ align = "left" }, index) => cell(texts[index] ?? "", widths[index] ?? 0, align)).join("  ")
      .trimEnd();
  const rule = widths.map((width) => "─".repeat(width)).join("  ");
  return { head: `${line(columns.map(({ title }) => title))}\n${rule}`, line };
}

/** A text with spaces to a width. */
export function padded(text: string, width: number, align: "left" | "right"): string {
  const space = " ".repeat(Math.max(width - textWidth(text), 0));
  return align === "left" ? text + space : space + text;
}

/** A text without control characters, which would move the cursor: each is shown as `�`. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, "\ufffd");
}
