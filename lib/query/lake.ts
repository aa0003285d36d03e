/**
 * Reading a lake: a DuckDB view over one snapshot of every table, whatever its format.
 *
 * Promise: a view shows one whole snapshot, that of the point asked for when it was opened; opening again moves it. Nothing is
 * written. With `at: "consistent"` all views show their tables at one and the same source position, so that joins of them give
 * what a join at the source gave there.
 */
import type { Position } from "../change/position.ts";
import type { Scan } from "../change/sink.ts";
import type { Column } from "../dataset/column.ts";
import type { Connection } from "../engine/connection.ts";
import { identifier } from "../engine/quote.ts";
import { WeirError } from "../errors.ts";
import { atMost } from "../at_most.ts";
import type { TableState } from "../table/lake_table.ts";
import { type DamagedTable, type TableFolder, tableFolders } from "./lake_folders.ts";
import type { LakePlace } from "./lake_tables.ts";
import {
  type OpenedTable,
  openTable,
  pastOf,
  requireConsistentPoint,
  snapshotAt,
  stateOf,
  type TablePast,
} from "./time_travel.ts";

/**
 * Which state of a lake. `newest`: each table's own newest snapshot, which are of about the same time. `consistent`: the greatest
 * source position at which every table is known exactly. A time: each table's newest snapshot by then.
 */
export type LakePoint = "newest" | "consistent" | { readonly timeMs: number } | { readonly position: Position };

/** Which lake to open, at which point, and where its views go. */
export interface OpenLakeOptions extends LakePlace {
  /** Default `newest`. */
  readonly at?: LakePoint;
  /** Only tables of these formats; they alone have to agree on a position. Default: all. */
  readonly formats?: readonly TableFolder["format"][];
  /** Takes a table that is damaged, which is then left out. Default: it is an error. */
  readonly onDamaged?: (table: DamagedTable) => void;
}

/** One table of a lake, ready to be queried. */
export interface LakeView extends TableFolder {
  readonly location: string;
  /** Name of the view in SQL, quoted: `"<format>_<namespace>"."<table>"`. */
  readonly view: string;
  readonly columns: readonly Column[];
  readonly snapshotId?: bigint;
  /** The source position that the view shows. */
  readonly position?: Position;
  /** Of a mirror: the format of the table whose files it shows. */
  readonly mirrorOf?: string;
}

/**
 * Makes or moves a view for every table of a lake and lists them. A lake that is not there has none, and a table that did not
 * exist at the time asked for has none either.
 *
 * Throws `tableUnreadable` naming the file where a table is damaged and nobody takes it, `storage` where a folder cannot be read, `precondition`
 * where tables agree on no position or are not known at the one asked for.
 */
export async function openLake(options: OpenLakeOptions): Promise<readonly LakeView[]> {
  const { at = "newest" } = options;
  const places = (await tableFolders(options)).map((place) => ({ place }));
  const tables = await ofEach(places, options, ({ place }) => openTable(place, options));
  const shown = at === "newest"
    ? tables.map((table) => ({ ...table, state: table.newest }))
    : await shownAt(tables, { ...options, at });
  return await ofEach(shown, options, (table) => openView(table, options));
}

/** Tables that are read side by side: what takes long is waiting for their small files, one after another. */
const tablesAtOnce = 8;

/** What there is of each table, in their order; without damaged ones where somebody takes them. */
async function ofEach<Table extends { readonly place: TableFolder }, Result>(
  tables: readonly Table[],
  { onDamaged }: Pick<OpenLakeOptions, "onDamaged">,
  work: (table: Table) => Promise<Result | undefined>,
): Promise<Result[]> {
  const results = await atMost(tablesAtOnce, tables, async (table) => {
    try {
      return await work(table);
    } catch (thrown) {
      if (!(thrown instanceof WeirError) || thrown.kind !== "tableUnreadable" || !onDamaged) throw thrown;
      onDamaged({ ...table.place, error: thrown });
      return undefined;
    }
  });
  return results.filter((result) => result !== undefined);
}

/** What a view shows of a table. */
interface ShownTable extends OpenedTable {
  /** Undefined: it did not exist yet. */
  readonly state: TableState | undefined;
}

async function shownAt(
  tables: readonly OpenedTable[],
  { at, ...taken }: Pick<OpenLakeOptions, "onDamaged"> & { readonly at: Exclude<LakePoint, "newest"> },
): Promise<readonly ShownTable[]> {
  const pasts: readonly TablePast[] = await ofEach(tables, taken, pastOf);
  if (pasts.length === 0) return [];
  const point = at === "consistent" ? { position: requireConsistentPoint(pasts) } : at;
  return await ofEach(pasts, taken, async (past) => {
    const isYounger = "timeMs" in point && past.snapshots.every(({ timeMs }) => timeMs > point.timeMs);
    const state = isYounger ? undefined : await stateOf(past, snapshotAt(past, point));
    const position = "position" in point ? { position: point.position } : {};
    return { ...past, state: state && { ...state, ...position } };
  });
}

async function openView(
  { place, table, state }: ShownTable,
  { connection }: LakePlace,
): Promise<LakeView | undefined> {
  const schema = identifier(`${place.format}_${place.namespace}`);
  const view = `${schema}.${identifier(place.name)}`;
  await connection.run(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
  if (state === undefined) {
    await connection.run(`DROP VIEW IF EXISTS ${view}`);
    keep(undefined, { connection, view });
    return undefined;
  }
  const scan = await table.scan(state);
  await connection.run(`CREATE OR REPLACE VIEW ${view} AS ${scan.sql}`);
  keep(scan, { connection, view });
  const { snapshotId, columns, position, mirrorOf } = state;
  return {
    ...place,
    location: table.location,
    view,
    columns,
    ...(snapshotId === undefined ? {} : { snapshotId }),
    ...(position === undefined ? {} : { position }),
    ...(mirrorOf === undefined ? {} : { mirrorOf }),
  };
}

/** What the views of a connection read. */
const kept = new WeakMap<Connection, Map<string, Scan>>();

/** Keeps what a view reads until it moves on. */
function keep(
  scan: Scan | undefined,
  { connection, view }: { readonly connection: Connection; readonly view: string },
) {
  const scans = kept.get(connection) ?? new Map<string, Scan>();
  kept.set(connection, scans);
  scans.get(view)?.[Symbol.dispose]();
  if (scan === undefined) scans.delete(view);
  else scans.set(view, scan);
}
