/** The demo's screen: figures as lines that fit a terminal, whatever its size. */
import { fittedText } from "../../../lib/cli/fitted_text.ts";
import { formatBytes, formatCount, formatSeconds } from "../../../lib/cli/format.ts";
import { barGraph } from "../../../lib/cli/graph.ts";
import type { Paint } from "../../../lib/cli/paint.ts";
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
  const title = `Weir  PostgreSQL → ${formats.join(", ")}`;
  const hint = isStopping ? "Ctrl-C ends at once" : "Ctrl-C verifies and ends";
  return [
    paint(fittedText(title, columns - 12), "bold") + fittedText(elapsed, 12, "right"),
    fittedText(activity, columns - 30) + paint(fittedText(hint, 30, "right"), "dim"),
  ];
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
    ...barGraph(rates, { columns, rows }).map((line) => paint(line, "green")),
  ];
}

/** A table's name stands once, before its first format. */
function tableLines(tables: readonly TableFigures[], { columns, paint }: DemoCanvas): readonly string[] {
  const widths = [Math.min(Math.max(columns - 54, 10), 40), 9, 12, 9, 12, 9];
  const lineFor = (texts: readonly string[]) =>
    lineOf(texts.map((text, place) => ({ text, width: widths[place]!, align: place < 2 ? "left" : "right" })));
  const rows = tables.map(({ name, format, rows, files, bytes, commits }, place) => {
    const title = name === tables[place - 1]?.name ? "" : name;
    return lineFor([title, format, ...[rows, files].map(formatCount), formatBytes(bytes), formatCount(commits)]);
  });
  const head = lineFor(["lake table", "format", "rows", "files", "bytes", "commits"]);
  return [paint(head, "cyan"), ...rows.length === 0 ? [paint("none yet", "dim")] : rows];
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
    paint("latest payments", "cyan"),
    ...filled(latest.map((line, row) => row === 0 ? paint(line, "yellow") : line), room.payments),
    paint("earlier ones most like the latest", "cyan"),
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
  return lineOf([...cells, { text: payment.from, width }, arrow, { text: payment.to, width }]);
}

function noteLine({ notes }: DemoFigures, { columns, paint }: DemoCanvas): string {
  return paint(fittedText(notes.at(-1)?.split("\n")[0] ?? "", columns), "dim");
}

function lineOf(cells: readonly Cell[]): string {
  return cells.map(({ text, width, align }) => fittedText(text, width, align)).join("").trimEnd();
}
