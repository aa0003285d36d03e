/**
 * Reading a lake: a DuckDB view over the current snapshot of every table, whatever its format.
 *
 * Promise: a view shows one whole snapshot, the newest when it was opened; opening again moves it on. Nothing is written.
 */
import type { Position } from "../change/position.ts";
import type { Scan } from "../change/sink.ts";
import type { Column } from "../dataset/column.ts";
import type { Connection } from "../engine/connection.ts";
import { identifier } from "../engine/quote.ts";
import type { Storage } from "../storage/storage.ts";
import { IcebergTable } from "../table/iceberg/iceberg_table.ts";
import type { LakeTable } from "../table/lake_table.ts";
import { PaimonTable } from "../table/paimon/paimon_table.ts";
import { type TableFolder, tableFolders } from "./lake_folders.ts";

/** Which lake to open, and where its views go. */
export interface OpenLakeOptions {
  /** Where the lake is; the connection must be allowed to read what it makes readable. */
  readonly storage: Storage;
  /** The views are seen by this connection. */
  readonly connection: Connection;
}

/** One table of a lake, ready to be queried. */
export interface LakeView extends TableFolder {
  readonly location: string;
  /** Name of the view in SQL, quoted: `"<format>_<namespace>"."<table>"`. */
  readonly view: string;
  readonly columns: readonly Column[];
  readonly snapshotId?: bigint;
  /** How far the source had been read at the snapshot. */
  readonly position?: Position;
}

/**
 * Makes or moves on a view for every table of a lake and lists them. A lake that is not there has none.
 *
 * Throws `tableUnreadable` naming the file where a table is damaged, `storage` where a folder cannot be read.
 */
export async function openLake(options: OpenLakeOptions): Promise<readonly LakeView[]> {
  const views: LakeView[] = [];
  for (const place of await tableFolders(options.storage)) {
    const view = await openTable(place, options);
    if (view !== undefined) views.push(view);
  }
  return views;
}

async function openTable(place: TableFolder, options: OpenLakeOptions): Promise<LakeView | undefined> {
  const opened = openedTable(place, options);
  const { table } = opened;
  const state = await table.load();
  if (state === undefined) return undefined;
  const schema = identifier(`${place.format}_${place.namespace}`);
  const view = `${schema}.${identifier(place.name)}`;
  await options.connection.run(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
  const scan = await table.scan(state);
  await options.connection.run(`CREATE OR REPLACE VIEW ${view} AS ${scan.sql}`);
  opened.scan?.[Symbol.dispose]();
  opened.scan = scan;
  const { snapshotId, position, columns } = state;
  return {
    ...place,
    location: table.location,
    view,
    columns,
    ...(snapshotId === undefined ? {} : { snapshotId }),
    ...(position === undefined ? {} : { position }),
  };
}

interface OpenedTable {
  readonly table: LakeTable;
  /** What its view reads, kept until the view moves on. */
  scan?: Scan;
}

/** Tables that a connection has opened: one that is opened again reads only what is new. */
const opened = new WeakMap<Connection, Map<string, OpenedTable>>();

function openedTable(place: TableFolder, options: OpenLakeOptions): OpenedTable {
  const tables = opened.get(options.connection) ?? new Map<string, OpenedTable>();
  opened.set(options.connection, tables);
  const key = JSON.stringify([options.storage.uri(""), place.format, place.namespace, place.name]);
  const table = tables.get(key) ?? { table: newTable(place, options) };
  tables.set(key, table);
  return table;
}

function newTable({ format, namespace, name }: TableFolder, { storage, connection }: OpenLakeOptions): LakeTable {
  const at = { storage, connection, namespace, name };
  return format === "iceberg"
    ? new IcebergTable({ ...at, folder: `iceberg/${namespace}/${name}` })
    : new PaimonTable({ ...at, folder: "paimon" });
}
