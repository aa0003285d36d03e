/**
 * The rows of a statement as bytes of an output format.
 *
 * Promise: pieces come as rows do, and only a piece is held at a time, however many rows there are.
 */
import type { DuckDBDataChunk } from "@duckdb/node-api";
import { formatCount } from "../../cli/format.ts";
import { type FittedLayout, fittedLayout } from "../../cli/fitted_table.ts";
import { cellText, isNumeric } from "../../notebook/cell_text.ts";
import { isPlan } from "../../notebook/plan_display.ts";
import type { StatementRows } from "../session.ts";
import { csvField, jsonText, quoted } from "./exact_text.ts";

/** Makes the pieces. */
export type RowBytes = (rows: StatementRows) => AsyncGenerator<Uint8Array, void>;

const encoder = new TextEncoder();
/** Rows that say how wide columns are. */
const layoutRows = 1000;

/** What there is room for in a table. */
export interface TableRoom {
  /** Rows that are read at most. Default: all. */
  readonly most?: number;
  /** Cells of a line. Default: as many as it takes. */
  readonly cells?: number | undefined;
}

/** A table to be read, or a plan as it was drawn; a table with its rows counted below it, and its columns where some are left out. */
export async function* tableBytes(
  { names, types, chunks }: StatementRows,
  { most = Number.MAX_SAFE_INTEGER, cells = Infinity }: TableRoom = {},
): AsyncGenerator<Uint8Array, void> {
  if (isPlan(names)) return yield* planBytes(chunks);
  const columns = names.map((title, index) => ({
    title,
    align: isNumeric(types[index]!) ? "right" as const : "left" as const,
  }));
  const textsOf = (chunk: DuckDBDataChunk, from: number, to: number) =>
    Array.from(
      { length: to - from },
      (_, row) => chunk.getRowValues(from + row).map((value, index) => cellText(value, types[index])),
    );
  let [count, leftOut] = [0, 0];
  let layout: FittedLayout | undefined;
  const printed = (rows: readonly (readonly string[])[]) => {
    const isFirst = layout === undefined;
    layout ??= fittedLayout(columns, rows, cells);
    leftOut = layout.leftOut;
    return encoder.encode([...isFirst ? [layout.head] : [], ...rows.map(layout.line), ""].join("\n"));
  };
  const counted = (rows: string) =>
    encoder.encode(`${rows}${leftOut === 0 ? "" : `, ${names.length} columns (${names.length - leftOut} shown)`}\n`);
  for await (const chunk of chunks) {
    const taken = Math.min(chunk.rowCount, most - count);
    for (let from = 0; from < taken; from += layoutRows) {
      yield printed(textsOf(chunk, from, Math.min(from + layoutRows, taken)));
    }
    count += taken;
    if (taken < chunk.rowCount) return yield counted(`the first ${formatCount(count)} rows`);
  }
  if (count === 0) yield printed([]);
  yield counted(`${formatCount(count)} row${count === 1 ? "" : "s"}`);
}

async function* planBytes(chunks: StatementRows["chunks"]): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of chunks) yield encoder.encode(`${chunk.getColumnValues(1).join("\n")}\n`);
}

/** CSV with a line of names, UTF-8, lines ended by a line feed. */
export async function* csvBytes({ names, types, chunks }: StatementRows): AsyncGenerator<Uint8Array, void> {
  yield encoder.encode(`${names.map(quoted).join(",")}\n`);
  for await (const chunk of chunks) {
    const lines = chunk.getRows().map((row) => row.map((value, index) => csvField(value, types[index]!)).join(","));
    yield encoder.encode(`${lines.join("\n")}\n`);
  }
}

/** One array of JSON, a row on each line. */
export async function* jsonBytes({ names, types, chunks }: StatementRows): AsyncGenerator<Uint8Array, void> {
  const keys = names.map((name) => JSON.stringify(name));
  let before = "[\n";
  for await (const chunk of chunks) {
    const lines = chunk.getRows().map((row) =>
      `{${row.map((value, index) => `${keys[index]}:${jsonText(value, types[index])}`).join(",")}}`
    );
    yield encoder.encode(before + lines.join(",\n"));
    before = ",\n";
  }
  yield encoder.encode(before === "[\n" ? "[]\n" : "\n]\n");
}
