/** An Iceberg table of three columns for the tests of its format. */
import { types } from "../dataset/column_type.ts";
import type { TableDefinition } from "../dataset/dataset.ts";
import { IcebergTable, type IcebergTableOptions } from "../table/iceberg/iceberg_table.ts";
import type { TableMetadata } from "../table/iceberg/metadata.ts";
import { parseJson } from "../table/lossless_json.ts";
import type { UpkeepPolicy } from "../table/upkeep.ts";
import type { LiteralRow } from "./relations.ts";
import { TableLake } from "./table_lake.ts";
import { type DatabaseFixture, withDatabase } from "./temporary.ts";

/** Keyed by two columns. */
export const definition: TableDefinition = {
  namespace: "bank",
  name: "cards",
  key: ["id", "ordinal"],
  columns: [
    { name: "id", type: types.int64, nullable: false },
    { name: "ordinal", type: types.int32, nullable: false },
    { name: "name", type: types.string, nullable: true },
  ],
};
/** Merges two files, and forgets at once. */
export const eagerPolicy: UpkeepPolicy = {
  targetFileBytes: 64 * 2 ** 20,
  mergeFiles: 2,
  deletedShare: 0.3,
  keepSnapshotsMs: 0,
  keepSnapshots: 1,
  orphanAgeMs: 0,
};

/** Of the table, below the storage root. */
export const folder = "iceberg/bank/cards";

/** A lake with one table. */
export class Lake extends TableLake<IcebergTable> {
  constructor(fixture: DatabaseFixture) {
    super(fixture, { folder, definition, text: "id || '/' || ordinal || ' ' || name" });
  }

  override open(options: Partial<IcebergTableOptions> = {}): IcebergTable {
    return new IcebergTable({ ...this.place, folder, ...options });
  }

  /** What a version of the table says. */
  async metadata(version: number): Promise<TableMetadata> {
    const bytes = await this.storage.read(`${folder}/metadata/v${version}.metadata.json`);
    return parseJson(new TextDecoder().decode(bytes)) as TableMetadata;
  }
}

/** One row. */
export const row = (id: number, ordinal: number, name: string): LiteralRow => ({
  id: String(id),
  ordinal: String(ordinal),
  name: `'${name}'`,
});
/** The key of one row. */
export const key = (id: number, ordinal: number): LiteralRow => ({ id: String(id), ordinal: String(ordinal) });

/** A test on a lake of its own. */
export function onLake(body: (lake: Lake) => Promise<void>): () => Promise<void> {
  return () => withDatabase((fixture) => body(new Lake(fixture)));
}
