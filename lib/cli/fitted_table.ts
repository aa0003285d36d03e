/** Tables that are no wider than a terminal. */
import { cutText, fittedText } from "./fitted_text.ts";
import { columnWidths, layoutOf, renderTable, type TableLayout, tableLayout, type TextColumn } from "./table.ts";

/** A layout, and how many columns it has no room for. */
export interface FittedLayout extends TableLayout {
  readonly leftOut: number;
}

const between = 2;
/** To less than this no text is cut for the sake of other columns. */
const leastCut = 20;

/**
 * Columns in so many cells. Where they need more, long texts end with `…`; where that is not enough, the last columns are left out, and a
 * column `…` stands for them.
 *
 * @example
 * ```ts
 * import { fittedLayout } from "./fitted_table.ts";
 * import assert from "node:assert/strict";
 *
 * const row = ["x".repeat(30), "7", "y".repeat(30)];
 * const { line, leftOut } = fittedLayout([{ title: "a" }, { title: "b" }, { title: "c" }], [row], 30);
 * assert.deepEqual([line(row), leftOut], [`${"x".repeat(23)}…  7  …`, 1]);
 * ```
 */
export function fittedLayout(
  columns: readonly TextColumn[],
  rows: readonly (readonly string[])[],
  cells: number,
): FittedLayout {
  const natural = columnWidths(columns, rows);
  if (total(natural) <= cells) return { ...tableLayout(columns, rows), leftOut: 0 };
  const shown = columnsThatFit(natural, cells);
  const leftOut = columns.length - shown;
  const first = natural.slice(0, shown);
  if (leftOut === 0) return { ...layoutOf(columns, { widths: grown(first, cells), cell: fittedText }), leftOut };
  const widths = [...grown(first, cells - 1 - between), 1];
  const { head, line } = layoutOf([...columns.slice(0, shown), { title: "…" }], { widths, cell: fittedText });
  return { head, line: (row) => line([...row.slice(0, shown), "…"]), leftOut };
}

/** The table itself, in so many cells. Default: as many as it takes. */
export function renderFitted(
  columns: readonly TextColumn[],
  rows: readonly (readonly string[])[],
  cells = Infinity,
): string {
  const { head, line } = fittedLayout(columns, rows, cells);
  return [head, ...rows.map(line)].join("\n");
}

function total(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width + between, -between);
}

/** How many of the first ones, with long texts cut; one at least. */
function columnsThatFit(natural: readonly number[], cells: number): number {
  const least = natural.map((width) => Math.min(width, leastCut));
  if (total(least) <= cells) return least.length;
  const tooMany = least.findIndex((_, index) => total([...least.slice(0, index + 1), 1]) > cells);
  return Math.max(tooMany, 1);
}

/** As wide as they are, but for the widest: those share what is left. */
function grown(natural: readonly number[], cells: number): readonly number[] {
  const cut = (most: number) => natural.map((width) => Math.min(width, most));
  let most = 1;
  while (most < cells && total(cut(most + 1)) <= cells) most++;
  return cut(most);
}

const indent = "  ";

/**
 * A table whose last column is a sentence. Where it is too wide for so many cells, each sentence stands below its row, in as many lines as
 * it takes.
 *
 * @param cells Default: as many as the table needs.
 */
export function renderWithSentences(
  columns: readonly TextColumn[],
  rows: readonly (readonly string[])[],
  cells = Infinity,
): string {
  if (total(columnWidths(columns, rows)) <= cells) return renderTable(columns, rows);
  const { head, line } = fittedLayout(columns.slice(0, -1), rows.map((row) => row.slice(0, -1)), cells);
  const lines = rows.flatMap((row) => [
    line(row.slice(0, -1)),
    ...wrapped(row.at(-1) ?? "", cells - indent.length).map((text) => indent + text),
  ]);
  return [head, ...lines].join("\n");
}

/** Lines of whole words; a word that is longer is cut. */
function wrapped(text: string, cells: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const longer = lines.length === 0 ? word : `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && cutText(longer, cells) === longer) lines[lines.length - 1] = longer;
    else lines.push(cutText(word, cells));
  }
  return lines;
}
