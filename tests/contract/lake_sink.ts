/** The table formats behind the one lake sink, on a local folder or where a suite puts them. */
import { LakeSink } from "../../lib/sink/lake_sink.ts";
import { LocalStorage } from "../../lib/storage/local.ts";
import type { Storage } from "../../lib/storage/storage.ts";
import type { TableDefinition } from "../../lib/dataset/dataset.ts";
import type { Connection } from "../../lib/engine/connection.ts";
import type { LakeTable } from "../../lib/table/lake_table.ts";
import type { SinkFormat } from "./sink_fixture.ts";

/** Where a table is to be. */
export interface TableOptions {
  readonly storage: Storage;
  readonly connection: Connection;
  readonly namespace: string;
  readonly name: string;
}

/** What tells one format from another. */
export interface LakeFormat extends Pick<SinkFormat, "name" | "failPoints" | "countsRows"> {
  readonly table: (options: TableOptions) => LakeTable;
  /** A storage of its own for a fixture's folder. Default: below the folder. */
  readonly storage?: (folder: string) => Storage;
}

/** A table format as the suites take it. */
export function lakeFormat(
  { table, storage: storageIn = (folder) => new LocalStorage(`${folder}/lake`), ...format }: LakeFormat,
): SinkFormat {
  return {
    ...format,
    hasStorage: true,
    lake: ({ connection, folder }, wrap = (storage) => storage) => {
      const storage = wrap(storageIn(folder));
      return {
        open: ({ namespace, name }: TableDefinition) => new LakeSink(table({ storage, connection, namespace, name })),
      };
    },
  };
}
