/** Changes written down by hand, as the spool files a source would make of them (see `change/micro_batch.ts`). */
import type { DatasetChanges, SpoolColumn, SpoolSegment } from "../change/micro_batch.ts";
import { spoolQuote } from "../change/spool_format.ts";
import { duckdbType } from "../dataset/column_type.ts";
import type { Dataset } from "../dataset/dataset.ts";
import { identifier } from "../engine/quote.ts";

/** A row's texts by column name, as DuckDB casts them to the lake types; left out or null is NULL. */
export type ScriptedRow = Readonly<Record<string, string | null>>;

/** One change. */
export interface ScriptedChange {
  readonly op: "I" | "U" | "D";
  readonly row: ScriptedRow;
  /** The key before, where it changed. */
  readonly oldKey?: ScriptedRow;
  /** Columns whose value the source did not send. */
  readonly unchanged?: readonly string[];
}

/** What a source table went through, in order. */
export type ScriptedEvent = ScriptedChange | "truncate";

/** Where and from which ordinal on spool files are written. */
export interface SpoolOptions {
  readonly path: string;
  readonly firstOrdinal?: bigint;
}

/** A table's rows as a segment of layout `rows`. */
export async function spoolRows(
  dataset: Dataset,
  rows: readonly ScriptedRow[],
  options: SpoolOptions,
): Promise<DatasetChanges> {
  const lines = rows.map((row) => spoolLine(dataset.columns.map(({ name }) => row[name] ?? null)));
  const file = await writeLines(options.path, lines);
  const counts = { inserts: rows.length, updates: 0, deletes: 0, keyChanges: 0, unchangedRows: 0 };
  return changesOf(dataset, {
    segment: { ...counts, ...segment(dataset, "rows"), ...file, rows: rows.length },
  });
}

/** A table's events as a segment of layout `changes`. Every event, a truncate too, takes one ordinal. */
export async function spoolChanges(
  dataset: Dataset,
  events: readonly ScriptedEvent[],
  options: SpoolOptions,
): Promise<DatasetChanges> {
  const first = options.firstOrdinal ?? 0n;
  const changes = events.filter((event) => event !== "truncate");
  const lines = events.flatMap((event, index) =>
    event === "truncate" ? [] : [changeLine(dataset, { change: event, ordinal: first + BigInt(index) })]
  );
  const file = await writeLines(options.path, lines);
  const count = (test: (change: ScriptedChange) => boolean) => changes.filter(test).length;
  const truncate = events.lastIndexOf("truncate");
  return changesOf(dataset, {
    segment: {
      ...segment(dataset, "changes"),
      ...file,
      rows: changes.length,
      inserts: count(({ op }) => op === "I"),
      updates: count(({ op }) => op === "U"),
      deletes: count(({ op }) => op === "D"),
      keyChanges: count(({ oldKey }) => oldKey !== undefined),
      unchangedRows: count(({ unchanged = [] }) => unchanged.length > 0),
    },
    ...(truncate < 0 ? {} : { truncatedBefore: first + BigInt(truncate) }),
  });
}

/** Rows by key text after events; a value that was not sent stays what it was. */
export function applyEvents(
  dataset: Dataset,
  rows: ReadonlyMap<string, ScriptedRow>,
  events: readonly ScriptedEvent[],
): ReadonlyMap<string, ScriptedRow> {
  const after = new Map(rows);
  for (const event of events) {
    if (event === "truncate") {
      after.clear();
      continue;
    }
    const before = keyText(dataset, event.oldKey ?? event.row);
    const held = after.get(before);
    after.delete(before);
    if (event.op === "D") continue;
    const kept = Object.fromEntries((event.unchanged ?? []).map((name) => [name, held?.[name] ?? null]));
    after.set(keyText(dataset, event.row), { ...event.row, ...kept });
  }
  return after;
}

function keyText(dataset: Dataset, row: ScriptedRow): string {
  return JSON.stringify(dataset.key.map((name) => row[name] ?? null));
}

function changesOf(
  dataset: Dataset,
  content: { readonly segment: SpoolSegment; readonly truncatedBefore?: bigint },
): DatasetChanges {
  const { segment, ...rest } = content;
  const source = `${dataset.source.namespace}.${dataset.source.table}`;
  // As PostgreSQL's does: a segment without rows is none.
  const segments = segment.rows === 0 ? [] : [segment];
  return { source, key: dataset.key, segments, deadLetters: [], ...rest };
}

function segment(dataset: Dataset, layout: SpoolSegment["layout"]) {
  const columns = dataset.columns.map(({ name, type }): SpoolColumn => {
    const text = identifier(name);
    const sql = type.kind === "string" ? text : `CAST(${text} AS ${duckdbType(type)})`;
    return { name, type, sql, fallible: false };
  });
  return { layout, columns, schemaChanges: [] };
}

function changeLine(
  dataset: Dataset,
  { change, ordinal }: { readonly change: ScriptedChange; readonly ordinal: bigint },
): string {
  const { columns, key } = dataset;
  const places = (change.unchanged ?? []).map((name) => columns.findIndex((column) => column.name === name));
  const oldKey = key.map((name) => change.oldKey?.[name] ?? null);
  const sent = columns.map(({ name }) => change.op === "D" && !key.includes(name) ? null : change.row[name] ?? null);
  return spoolLine([change.op, String(ordinal), places.length === 0 ? null : places.join(","), ...oldKey, ...sent]);
}

/** Spooled text in a form that can be written down: the usual quote in the place of the spool's own. */
export function shownSpool(text: string): string {
  return text.replaceAll(spoolQuote, '"');
}

/** Writes a spool file of {@linkcode spoolLine}s. */
export async function writeLines(
  path: string,
  lines: readonly string[],
): Promise<Pick<SpoolSegment, "paths" | "longestLineBytes">> {
  const encoder = new TextEncoder();
  await Deno.writeTextFile(path, lines.join(""));
  const longestLineBytes = lines.reduce((longest, line) => Math.max(longest, encoder.encode(line).length), 0);
  return { paths: [path], longestLineBytes };
}

/** A line of a spool file. */
export function spoolLine(values: readonly (string | number | null)[]): string {
  const quoted = (text: string) => spoolQuote + text.replaceAll(spoolQuote, spoolQuote.repeat(2)) + spoolQuote;
  return values.map((value) => value === null ? "" : quoted(String(value))).join(",") + "\n";
}
