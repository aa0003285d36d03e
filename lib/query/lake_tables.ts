/** The tables of a lake, opened for reading. */
import type { Connection } from "../engine/connection.ts";
import type { Storage } from "../storage/storage.ts";
import { DeltaTable } from "../table/delta/delta_table.ts";
import { IcebergTable } from "../table/iceberg/iceberg_table.ts";
import type { RestCatalog } from "../table/iceberg/rest/rest_catalog.ts";
import { RestTable } from "../table/iceberg/rest/rest_table.ts";
import type { HistoricTable, TableState } from "../table/lake_table.ts";
import { PaimonTable } from "../table/paimon/paimon_table.ts";
import type { TableFolder } from "./lake_folders.ts";

/** Where a lake is, and what reads it. */
export interface LakePlace {
  /** The connection must be allowed to read what it makes readable. */
  readonly storage: Storage;
  readonly connection: Connection;
  /** Keeps the versions of the lake's Iceberg tables. Undefined: files beside them do. */
  readonly icebergCatalog?: RestCatalog | undefined;
}

/** Tables that a connection has opened: one that is opened again reads only what is new. */
const opened = new WeakMap<Connection, Map<string, HistoricTable>>();

/** A table of a lake. Nothing is read yet. */
export function lakeTable(place: TableFolder, lake: LakePlace): HistoricTable {
  const tables = opened.get(lake.connection) ?? new Map<string, HistoricTable>();
  opened.set(lake.connection, tables);
  const key = JSON.stringify([
    lake.storage.uri(""),
    lake.icebergCatalog?.client.uri,
    place.format,
    place.namespace,
    place.name,
  ]);
  const table = tables.get(key) ?? newTable(place, lake);
  tables.set(key, table);
  return table;
}

/** Has the storage reach a mirror's files: where a catalog keeps those of its tables, and with which keys, it alone knows. */
export async function reachFiles(
  { namespace, name }: TableFolder,
  { mirrorOf }: Pick<TableState, "mirrorOf">,
  lake: LakePlace,
): Promise<void> {
  if (mirrorOf !== "iceberg" || lake.icebergCatalog === undefined) return;
  await lakeTable({ format: mirrorOf, namespace, name }, lake).load();
}

function newTable({ format, namespace, name }: TableFolder, lake: LakePlace): HistoricTable {
  const { storage, connection, icebergCatalog: catalog } = lake;
  const at = { storage, connection, namespace, name };
  if (format === "paimon") return new PaimonTable({ ...at, folder: "paimon" });
  const placed = { ...at, folder: `${format}/${namespace}/${name}` };
  if (format === "delta") return new DeltaTable(placed);
  if (catalog === undefined) return new IcebergTable(placed);
  return new IcebergTable({ ...placed, catalog: new RestTable({ catalog, storage, namespace, name }) });
}
