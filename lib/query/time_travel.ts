/** A table as it was: of a snapshot, at a time, at a source position. */
import { formatPosition, type Position } from "../change/position.ts";
import type { Column } from "../dataset/column.ts";
import { WeirError } from "../errors.ts";
import type { HistoricTable, KeptSnapshot, TableState } from "../table/lake_table.ts";
import { consistentPoint, type ExactSpan, exactSpans, spanAt } from "./exact_spans.ts";
import type { TableFolder } from "./lake_folders.ts";
import { type LakePlace, lakeTable, reachFiles } from "./lake_tables.ts";

/** Which state of a table. */
export type TablePoint =
  | { readonly snapshotId: bigint }
  /** Epoch milliseconds: the newest snapshot committed by then. */
  | { readonly timeMs: number }
  /** The table exactly as the source had it there. */
  | { readonly position: Position };

/** A table at a point. It can be read until it is disposed. */
export interface TableAt extends TableFolder, Disposable {
  readonly columns: readonly Column[];
  /** Empty for a table that only grows. */
  readonly key: readonly string[];
  /** Undefined: the table has never had a row. */
  readonly snapshot: KeptSnapshot | undefined;
  /** SELECT of the rows, for the connection that asked. */
  readonly scan: string;
}

/** A table as it is. */
export interface OpenedTable {
  readonly place: TableFolder;
  readonly table: HistoricTable;
  readonly newest: TableState;
}

/** A table with its past. */
export interface TablePast extends OpenedTable {
  /** Oldest first. */
  readonly snapshots: readonly KeptSnapshot[];
  readonly spans: readonly ExactSpan[];
}

/** A table; undefined where there is none. Throws `tableUnreadable` naming the file that is damaged. */
export async function openTable(place: TableFolder, lake: LakePlace): Promise<OpenedTable | undefined> {
  const table = lakeTable(place, lake);
  const newest = await table.load();
  if (newest === undefined) return undefined;
  await reachFiles(place, newest, lake);
  return { place, table, newest };
}

/** A table's past as of when it was opened. */
export async function pastOf(opened: OpenedTable): Promise<TablePast> {
  const { table, newest } = opened;
  const snapshots = await table.history(newest);
  const { position } = newest;
  return {
    ...opened,
    snapshots,
    spans: exactSpans({ snapshots, ...(position === undefined ? {} : { recorded: position }) }),
  };
}

/**
 * A table as it was. Snapshots are kept as long as the table's upkeep keeps them.
 *
 * Throws `precondition` where there is no such table, no such snapshot, none so old, or none that is exactly the table at the
 * position; `tableUnreadable` naming the file that is damaged.
 */
export async function tableAt(place: TableFolder, lake: LakePlace, point: TablePoint): Promise<TableAt> {
  const past = await requirePast(place, lake);
  const snapshot = snapshotAt(past, point);
  const state = await stateOf(past, snapshot);
  const { columns, key } = state;
  const scan = await past.table.scan(state);
  return { ...place, columns, key, snapshot, scan: scan.sql, [Symbol.dispose]: () => scan[Symbol.dispose]() };
}

/** The past of a table that must be there. Throws `precondition` where it is not. */
export async function requirePast(place: TableFolder, lake: LakePlace): Promise<TablePast> {
  return await pastOf(await requireTable(place, lake));
}

/** A table that must be there. Throws `precondition` where it is not. */
export async function requireTable(place: TableFolder, lake: LakePlace): Promise<OpenedTable> {
  const opened = await openTable(place, lake);
  if (opened !== undefined) return opened;
  throw new WeirError("precondition", `The lake has no ${nameOf(place)}`, {
    detail: { table: `${place.namespace}.${place.name}`, path: lake.storage.uri("") },
  });
}

/** The snapshot of a point; undefined for a table that has never had a row. Throws `precondition` where there is none. */
export function snapshotAt(past: TablePast, point: TablePoint): KeptSnapshot | undefined {
  const { snapshots, spans, place } = past;
  if ("position" in point) {
    const span = spanAt(spans, point.position);
    if (span !== undefined) return span.snapshot;
    throw notKept(place, `is not known exactly at position ${formatPosition(point.position)}`);
  }
  if ("snapshotId" in point) {
    const found = snapshots.find(({ id }) => id === point.snapshotId);
    if (found === undefined) throw notKept(place, `has no snapshot ${point.snapshotId}`);
    return found;
  }
  const found = snapshots.findLast(({ timeMs }) => timeMs <= point.timeMs);
  if (found === undefined) throw notKept(place, `has no snapshot as old as ${new Date(point.timeMs).toISOString()}`);
  return found;
}

/** The state of a snapshot; the newest where the table has none. Throws `precondition` where it has just expired. */
export async function stateOf({ table, newest, place }: OpenedTable, snapshot?: KeptSnapshot): Promise<TableState> {
  if (snapshot === undefined || snapshot.id === newest.snapshotId) return newest;
  const state = await table.stateAt(newest, snapshot.id);
  if (state === undefined) throw notKept(place, `has no snapshot ${snapshot.id}`);
  return state;
}

/** Where all tables can be read together. Throws `precondition` saying how far each has come where they agree nowhere. */
export function requireConsistentPoint(tables: readonly TablePast[]): Position {
  const point = consistentPoint(tables.map(({ spans }) => spans));
  if (point !== undefined) return point;
  const standing = tables.map(({ place, newest: { position } }) =>
    `${nameOf(place)} ${position === undefined ? "waits for a copy" : `at ${formatPosition(position)}`}`
  );
  throw new WeirError(
    "precondition",
    `The tables are nowhere known at one source position: ${standing.join(", ")}`,
    {
      advice:
        "Run the job that fills them until every table has caught up; tables of two jobs or sources never agree, " +
        "nor do those of vectors that were made beside a lake",
    },
  );
}

/** A table as people call it. */
export function nameOf({ format, namespace, name }: TableFolder): string {
  return `${format} table ${namespace}.${name}`;
}

function notKept(place: TableFolder, what: string): WeirError {
  return new WeirError("precondition", `${nameOf(place)} ${what}: it never had it, or the snapshot has expired`, {
    detail: { table: `${place.namespace}.${place.name}` },
    advice: "Ask for the table's history to see what is kept",
  });
}
