/** The demo's screen: figures as lines that fit a terminal, whatever its size. */
import { cutText, fittedText } from "../../../lib/cli/fitted_text.ts";
import { formatBytes, formatCount, formatSeconds } from "../../../lib/cli/format.ts";
import { barGraph } from "../../../lib/cli/graph.ts";
import type { Paint } from "../../../lib/cli/paint.ts";
import { textWidth } from "../../../lib/cli/table.ts";
import type { DemoFigures, ShownPayment, TableFigures } from "./figures.ts";

/** Where the lines go. */
export interface DemoCanvas {
  readonly columns: number;
  readonly rows: number;
  readonly paint: Paint;
}

interface Cell {
  readonly text: string;
  readonly width: number;
  readonly align?: "left" | "right";
}

/** Lines of a screen that are there on the smallest of them: title, activity, headings, the note, and what parts them. */
const fixedLines = 10;
const wideColumns = 110;
/** A graph is no taller: higher ones say nothing more. */
const tallestGraph = 8;

/** The lines, from the top; never more than there is room for. */
export function demoLines(figures: DemoFigures, canvas: DemoCanvas): readonly string[] {
  const { rows } = canvas;
  const free = Math.max(rows - fixedLines - Math.max(figures.tables.length, 1), 0);
  const graphRows = Math.min(Math.max(Math.floor(free / 4), 1), tallestGraph);
  const listed = Math.max(free - graphRows, 2);
  const near = Math.ceil(listed / 2);
  return [
    ...titleLines(figures, canvas),
    "",
    ...rateLines(figures, canvas, graphRows),
    "",
    ...tableLines(figures.tables, canvas),
    "",
    ...paymentLines(figures, canvas, { payments: listed - near, near }),
    noteLine(figures, canvas),
  ].slice(0, rows);
}

function titleLines(
  { formats, activity, isStopping, elapsedSeconds }: DemoFigures,
  canvas: DemoCanvas,
): readonly string[] {
  const { paint, columns } = canvas;
  const elapsed = formatSeconds(elapsedSeconds).replace(/\.\d+ s/, " s");
  const hint = isStopping ? "Ctrl-C ends at once" : "Ctrl-C verifies and ends";
  const [title, time] = sides(`Weir  PostgreSQL → ${formats.join(", ")}`, elapsed, columns);
  const [doing, end] = sides(activity, hint, columns);
  return [paint(title, "bold") + time, doing + paint(end, "dim")];
}

/** A text at the left edge and one at the right, which is there whole if it can be. */
function sides(left: string, right: string, columns: number): readonly [string, string] {
  const shown = cutText(right, columns);
  return [fittedText(left, columns - textWidth(shown)), shown];
}

function rateLines(figures: DemoFigures, { columns, paint }: DemoCanvas, rows: number): readonly string[] {
  const { rates, lagBytes, lagSeconds } = figures;
  const now = `${formatCount(rates.at(-1) ?? 0)} rows/s`;
  const all = `${formatCount(figures.rows)} rows in all`;
  const lag = lagBytes === undefined
    ? ""
    : `lag ${formatBytes(lagBytes)}${lagSeconds === undefined ? "" : `, ${formatSeconds(lagSeconds)}`}`;
  const half = Math.floor(columns / 3);
  return [
    paint(fittedText(now, half), "bold", "green") + fittedText(all, half) +
    fittedText(lag, columns - 2 * half, "right"),
    ...barGraph(rates, { columns, rows, top: topOf(rates.slice(-columns)) }).map((line) => paint(line, "green")),
  ];
}

/** One burst is not to make everything after it small: what is over twice the usual is cut. */
function topOf(rates: readonly number[]): number {
  const usual = rates.toSorted((left, right) => left - right)[Math.floor(rates.length / 2)] ?? 0;
  const highest = Math.max(...rates, 0);
  return usual > 0 ? Math.min(2 * usual, highest) : highest;
}

/** A table's name stands once, before its first format. */
function tableLines(tables: readonly TableFigures[], { columns, paint }: DemoCanvas): readonly string[] {
  const widths = [Math.min(Math.max(columns - 54, 10), 40), 9, 12, 9, 12, 9];
  const lineFor = (texts: readonly string[]) =>
    lineOf(texts.map((text, place) => ({ text, width: widths[place]!, align: place < 2 ? "left" : "right" })), columns);
  const rows = tables.map(({ name, format, rows, files, bytes, commits }, place) => {
    const title = name === tables[place - 1]?.name ? "" : name;
    return lineFor([title, format, ...[rows, files].map(formatCount), formatBytes(bytes), formatCount(commits)]);
  });
  const head = lineFor(["lake table", "format", "rows", "files", "bytes", "commits"]);
  return [paint(head, "cyan"), ...rows.length === 0 ? [paint(cutText("none yet", columns), "dim")] : rows];
}

/** Lines that are not filled yet are empty: nothing is to jump. */
function paymentLines(
  { payments, similar }: DemoFigures,
  { columns, paint }: DemoCanvas,
  room: { readonly payments: number; readonly near: number },
): readonly string[] {
  const filled = (lines: readonly string[], rows: number) => Array.from({ length: rows }, (_, row) => lines[row] ?? "");
  const latest = payments.map((payment) => paymentLine("", payment, columns));
  const near = similar.map((payment) => paymentLine(payment.similarity.toFixed(3), payment, columns));
  return [
    paint(cutText("latest payments", columns), "cyan"),
    ...filled(latest.map((line, row) => row === 0 ? paint(line, "yellow") : line), room.payments),
    paint(cutText("earlier ones most like the latest", columns), "cyan"),
    ...filled(near, room.near),
  ];
}

/** Narrow screens leave out the day, the kind and the account. */
function paymentLine(mark: string, payment: ShownPayment, columns: number): string {
  const isWide = columns >= wideColumns;
  const cells: Cell[] = [
    { text: mark, width: 6 },
    { text: isWide ? payment.time : payment.time.slice(-8), width: isWide ? 16 : 9 },
    ...isWide ? [{ text: payment.kind, width: 12 }, { text: payment.account, width: 4 }] : [],
    { text: payment.amount, width: 14, align: "right" },
    { text: "", width: 2 },
  ];
  const arrow = { text: " →", width: 3 };
  const taken = cells.reduce((sum, { width }) => sum + width, arrow.width);
  const width = Math.min(Math.floor((columns - taken) / 2), 44);
  return lineOf([...cells, { text: payment.from, width }, arrow, { text: payment.to, width }], columns);
}

function noteLine({ notes }: DemoFigures, { columns, paint }: DemoCanvas): string {
  return paint(fittedText(notes.at(-1)?.split("\n")[0] ?? "", columns), "dim");
}

function lineOf(cells: readonly Cell[], columns: number): string {
  return cutText(cells.map(({ text, width, align }) => fittedText(text, width, align)).join("").trimEnd(), columns);
}
