/** Charts of results: Observable Plot, drawn to SVG without a browser. */
import type * as ObservablePlot from "@observablehq/plot";
import type { PlainRow } from "./plain_value.ts";
import { QueryResult } from "./query_result.ts";
import { display, type Displayed, type MediaBundle } from "./table_display.ts";

/** Observable Plot, as `import * as Plot from "@observablehq/plot"` gives it. */
export type Plot = typeof ObservablePlot;

/** What to draw: marks over the rows, and whatever else Plot takes; or one mark alone. */
export type ChartSpec<Row = PlainRow> = (rows: readonly Row[], plot: Plot) => Options | Mark;

type Mark = ObservablePlot.Markish;

type Options = ObservablePlot.PlotOptions;

/** How much may be drawn. */
export interface ChartOptions {
  /** More rows than this are refused: they would make marks that nobody can tell apart. Default 50,000. */
  readonly mostRows?: number;
}

/** A chart. */
export interface Chart extends Displayed {
  /** An `svg` element; or, for a chart with a title or a legend, a `figure` that has one. */
  readonly markup: string;
}

const defaultMostRows = 50_000;

/** Plot's own would cut off the first digits of numbers from 100,000 on. */
const marginLeft = 60;

/**
 * Draws a result, or rows that are there already. The rows of a result come with numbers (64-bit integers and decimals rounded to
 * JavaScript's) and `Date`s; aggregate in SQL first, for a chart of a million rows shows no more than one of a thousand. Plot and a
 * small DOM are loaded on first use. The left margin is 60 pixels where the options give none.
 *
 * @throws {TypeError} If `spec` is no function, or gives nothing that can be drawn.
 * @throws {RangeError} If there are more rows than may be drawn.
 *
 * @example
 * ```ts
 * import { withTemporaryFolder } from "../testing/temporary_folder.ts";
 * import { plot } from "./chart.ts";
 * import { openLake } from "./lake.ts";
 * import assert from "node:assert/strict";
 *
 * await withTemporaryFolder(async (folder) => {
 *   await using lake = await openLake({ lake: folder });
 *   const perDay = await lake.sql`SELECT range AS day, range * 2 AS payments FROM range(7)`;
 *   const chart = await plot(perDay, (rows, Plot) => ({ marks: [Plot.barY(rows, { x: "day", y: "payments" })] }));
 *   assert.match(chart.markup, /^<svg.*<rect/s);
 * });
 * ```
 */
export async function plot<Row extends object = PlainRow>(
  drawn: QueryResult | readonly Row[],
  spec: ChartSpec<Row>,
  options: ChartOptions = {},
): Promise<Chart> {
  const { mostRows: most = defaultMostRows } = options;
  const [rows, { parseHTML }, observable] = await Promise.all([
    rowsOf(drawn, most),
    import("linkedom"),
    import("@observablehq/plot"),
  ]);
  // The declarations of both packages speak of a browser's DOM, which Deno has none of.
  const { document } = parseHTML("<!doctype html><html><body></body></html>") as unknown as Pick<Options, "document">;
  const wanted = { marginLeft, ...chartOptions(spec, rows, observable), document };
  const element = observable.plot(wanted) as unknown as { readonly outerHTML: string };
  return chartOf(rounded(element.outerHTML));
}

const example = '(rows, Plot) => ({ marks: [Plot.barY(rows, { x: "day", y: "payments" })] })';

function chartOptions<Row>(spec: ChartSpec<Row>, rows: readonly Row[], observable: Plot): Options {
  if (typeof spec !== "function") throw new TypeError(`Cannot draw without a function such as ${example}`);
  const wanted = spec(rows, observable);
  // A mark or several, where options were meant: Plot itself would draw an empty frame.
  if (wanted instanceof observable.Mark || Array.isArray(wanted)) return { marks: [wanted] };
  const { marks } = wanted as Options;
  if (marks === undefined || Array.isArray(marks)) return wanted as Options;
  throw new TypeError(`Cannot draw marks that are no list: write them as in ${example}`);
}

/** Places to a hundredth of a pixel: all their digits are half of a large chart. What is written in it stays as it is. */
function rounded(markup: string): string {
  const places = /\s(?:c?[xy]|[xy][12]|width|height|d|transform|points)="[^"]*"/g;
  const short = (place: string) => place.replace(/\d+\.\d{3,}/g, (number) => String(+Number(number).toFixed(2)));
  return markup.replace(/<[a-z][^>]*>/gi, (tag) => tag.replace(places, short));
}

/** A result's are plain ones, which is what `Row` is unless somebody says otherwise. */
async function rowsOf<Row>(drawn: QueryResult | readonly Row[], most: number): Promise<readonly Row[]> {
  if (drawn instanceof QueryResult) return await drawn.rows({ most, numeric: true }) as readonly Row[];
  if (drawn.length > most) throw new RangeError(`Cannot draw more than ${most} rows: aggregate, or raise mostRows`);
  return drawn;
}

function chartOf(markup: string): Chart {
  return { markup, [display]: () => bundle(markup) };
}

function bundle(markup: string): MediaBundle {
  const text = { "text/plain": "A chart" };
  if (!markup.startsWith("<svg")) return { "text/html": markup, ...text };
  // An SVG document of its own needs to say that it is one, and has black axes whatever the notebook's colours are.
  const [svg = ""] = /^<svg[^>]*>/.exec(markup) ?? [];
  const white = / style="/.test(svg)
    ? svg.replace(' style="', ' style="background:white;')
    : svg.replace("<svg", '<svg style="background:white"');
  const root = white.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"') + markup.slice(svg.length);
  return { "image/svg+xml": root, ...text };
}
