/** The tables of a lake as jobs write them and keep them up. */
import type { Connection } from "../../lib/engine/connection.ts";
import type { TableFolder } from "../../lib/query/lake_folders.ts";
import type { Storage } from "../../lib/storage/storage.ts";
import { DeltaTable } from "../../lib/table/delta/delta_table.ts";
import { retentionProperties } from "../../lib/table/delta/properties.ts";
import { IcebergTable } from "../../lib/table/iceberg/iceberg_table.ts";
import type { RestCatalog } from "../../lib/table/iceberg/rest/rest_catalog.ts";
import { RestTable } from "../../lib/table/iceberg/rest/rest_table.ts";
import { PaimonTable } from "../../lib/table/paimon/paimon_table.ts";

/** Where tables are, and what they are made like. */
export interface KeptTableOptions {
  readonly storage: Storage;
  readonly connection: Connection;
  /** Keeps the versions of Iceberg tables. Undefined: files beside them do. */
  readonly icebergCatalog?: RestCatalog | undefined;
  /** Of a table that is made. */
  readonly made?: MadeTable;
}

/** What a table that is made is like. */
export interface MadeTable {
  readonly icebergVersion: 2 | 3;
  readonly deltaDeletes: "vectors" | "rewrite";
  /** Days that the partitions of Paimon tables stay. Default: for good. */
  readonly partitionKeepDays?: number | undefined;
  /** How long its past is kept, milliseconds. */
  readonly keptMs: number;
}

/** A table, not yet looked at. */
export function keptTable(
  { format, namespace, name }: TableFolder,
  options: KeptTableOptions,
): DeltaTable | IcebergTable | PaimonTable {
  const { storage, connection, icebergCatalog, made } = options;
  if (format === "paimon") {
    const { partitionKeepDays } = made ?? {};
    const paimon = { storage, connection, folder: "paimon", namespace, name };
    return new PaimonTable({ ...paimon, partitionKeepDays, commitUser: "weir" });
  }
  const at = { storage, connection, folder: `${format}/${namespace}/${name}`, namespace, name };
  if (format === "delta") {
    return new DeltaTable({
      ...at,
      ...(made === undefined ? {} : { deletes: made.deltaDeletes, properties: retentionProperties(made.keptMs) }),
    });
  }
  return new IcebergTable({
    ...at,
    ...(made === undefined ? {} : { formatVersion: made.icebergVersion }),
    ...(icebergCatalog === undefined
      ? {}
      : { catalog: new RestTable({ catalog: icebergCatalog, storage, namespace, name }) }),
  });
}
