/** The actions of a checkpoint (Delta protocol, "Checkpoint Schema"): Parquet with one struct column for each kind. */
import { literal } from "../../engine/quote.ts";
import type { Connection } from "../../engine/connection.ts";
import type { Storage } from "../../storage/storage.ts";
import { type Action, parseAction } from "./actions.ts";
import { type CheckpointFiles, unreadable } from "./log_file.ts";

const deletionVector =
  'STRUCT(storageType VARCHAR, pathOrInlineDv VARCHAR, "offset" INTEGER, sizeInBytes INTEGER, cardinality BIGINT)';
const values = "MAP(VARCHAR, VARCHAR)";

/** DuckDB types of the columns, as this code writes them. */
export const checkpointColumns = {
  txn: "STRUCT(appId VARCHAR, version BIGINT, lastUpdated BIGINT)",
  add: `STRUCT(path VARCHAR, partitionValues ${values}, size BIGINT, modificationTime BIGINT, dataChange BOOLEAN,
    stats VARCHAR, tags ${values}, deletionVector ${deletionVector})`,
  remove: `STRUCT(path VARCHAR, deletionTimestamp BIGINT, dataChange BOOLEAN, extendedFileMetadata BOOLEAN,
    partitionValues ${values}, size BIGINT, deletionVector ${deletionVector})`,
  metaData: `STRUCT(id VARCHAR, name VARCHAR, description VARCHAR, format STRUCT(provider VARCHAR, options ${values}),
    schemaString VARCHAR, partitionColumns VARCHAR[], configuration ${values}, createdTime BIGINT)`,
  protocol: `STRUCT(minReaderVersion INTEGER, minWriterVersion INTEGER, readerFeatures VARCHAR[],
    writerFeatures VARCHAR[])`,
} as const;

/** One of {@linkcode checkpointColumns}. */
export type CheckpointColumn = keyof typeof checkpointColumns;

/** Where a checkpoint is read from. */
export interface CheckpointPlace {
  readonly storage: Storage;
  readonly connection: Connection;
}

/** A table function over a checkpoint's files. */
export function readFilesSql({ storage }: CheckpointPlace, { paths }: CheckpointFiles): string {
  return `read_parquet([${
    paths.map((path) => literal(storage.duckdbPath(path))).join(", ")
  }], hive_partitioning = false)`;
}

/** Which of the columns a checkpoint has: other writers leave out what they have none of. */
export async function presentColumns(
  place: CheckpointPlace,
  checkpoint: CheckpointFiles,
): Promise<ReadonlySet<string>> {
  const rows = await place.connection.rows(
    `SELECT column_name FROM (DESCRIBE SELECT * FROM ${readFilesSql(place, checkpoint)})`,
  );
  return new Set(rows.map((row) => row["column_name"] as string));
}

/**
 * The actions of a checkpoint but the removed files, which only matter to the next one and to a vacuum.
 *
 * @throws {WeirError} `tableUnreadable` naming the file where it is damaged.
 */
export async function readCheckpoint(place: CheckpointPlace, checkpoint: CheckpointFiles): Promise<readonly Action[]> {
  return await readColumns(place, checkpoint, ["protocol", "metaData", "txn", "add"]);
}

/** The removed files that a checkpoint still knows of. */
export async function readRemoved(place: CheckpointPlace, checkpoint: CheckpointFiles): Promise<readonly Action[]> {
  return await readColumns(place, checkpoint, ["remove"]);
}

async function readColumns(
  place: CheckpointPlace,
  checkpoint: CheckpointFiles,
  columns: readonly CheckpointColumn[],
): Promise<readonly Action[]> {
  try {
    const present = await presentColumns(place, checkpoint);
    const actions: Action[] = [];
    for (const column of columns) {
      if (!present.has(column)) continue;
      const lines = await place.connection.rows(
        `SELECT to_json({${column}: ${column}})::VARCHAR AS line FROM ${readFilesSql(place, checkpoint)}
         WHERE ${column} IS NOT NULL`,
      );
      for (const { line } of lines) actions.push(parseAction(line as string));
    }
    return actions;
  } catch (thrown) {
    throw unreadable(checkpoint.paths[0]!, "it is damaged", thrown);
  }
}
