/** The three formats as the races open them: each instance as a process of its own would, over one folder. */
import type { Connection } from "../../lib/engine/connection.ts";
import type { Storage } from "../../lib/storage/storage.ts";
import { propertyNames } from "../../lib/table/delta/properties.ts";
import { DeltaTable } from "../../lib/table/delta/delta_table.ts";
import { IcebergTable } from "../../lib/table/iceberg/iceberg_table.ts";
import type { HistoricTable } from "../../lib/table/lake_table.ts";
import { PaimonTable } from "../../lib/table/paimon/paimon_table.ts";
import type { UpkeepPolicy, UpkeepTable } from "../../lib/table/upkeep.ts";

/** A table that can be written, kept up, and read as it was. */
export type RacedTable = UpkeepTable & HistoricTable;

/** The formats that race. */
export const racedFormats = ["iceberg", "paimon", "delta"] as const;

/** One of {@linkcode racedFormats}. */
export type RacedFormat = typeof racedFormats[number];

/** So long does nobody need a file that has left the table, milliseconds: longer than an actor's view of it is old. */
export const keptMs = 2000;

/** Merges early and forgets soon. */
export const racedPolicy: UpkeepPolicy = {
  targetFileBytes: 8 * 2 ** 20,
  mergeFiles: 4,
  deletedShare: 0.2,
  keepSnapshotsMs: keptMs,
  keepSnapshots: 5,
  // Longer than any commit takes, however busy the machine.
  orphanAgeMs: 30_000,
};

/** Opens the table. */
export function openRaced(
  format: RacedFormat,
  place: { readonly storage: Storage; readonly connection: Connection },
): RacedTable {
  const at = { ...place, folder: "races", namespace: "bank", name: "cards" };
  switch (format) {
    case "iceberg":
      return new IcebergTable(at) as RacedTable;
    case "paimon":
      return new PaimonTable(at) as RacedTable;
    case "delta":
      return new DeltaTable({ ...at, properties: forgetful }) as RacedTable;
  }
}

const forgetful = {
  [propertyNames.checkpointInterval]: "7",
  [propertyNames.logRetention]: `interval ${keptMs / 1000} seconds`,
  [propertyNames.fileRetention]: `interval ${keptMs / 1000} seconds`,
};
