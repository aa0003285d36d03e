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

/** A checkpoint that DuckDB may read until this is disposed. */
export interface OpenCheckpoint extends Disposable {
  /** A table function over its files. */
  readonly table: string;
  /** Which of the columns it has: other writers leave out what they have none of. */
  readonly columns: ReadonlySet<string>;
}

/** Has DuckDB read a checkpoint. Throws `tableUnreadable` naming it where it is missing or damaged. */
export async function openCheckpoint(
  { storage, connection }: CheckpointPlace,
  { paths }: CheckpointFiles,
): Promise<OpenCheckpoint> {
  try {
    using open = new DisposableStack();
    const readable = open.use(await storage.readable(paths));
    const files = paths.map((path) => literal(readable.duckdbPath(path))).join(", ");
    const table = `read_parquet([${files}], hive_partitioning = false)`;
    const rows = await connection.rows(`SELECT column_name FROM (DESCRIBE SELECT * FROM ${table})`);
    const kept = open.move();
    return {
      table,
      columns: new Set(rows.map((row) => row["column_name"] as string)),
      [Symbol.dispose]: () => kept.dispose(),
    };
  } catch (thrown) {
    throw unreadable(paths[0]!, "it is missing or damaged", thrown);
  }
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
    using opened = await openCheckpoint(place, checkpoint);
    const actions: Action[] = [];
    for (const column of columns) {
      if (!opened.columns.has(column)) continue;
      const lines = await place.connection.rows(
        `SELECT to_json({${column}: ${column}})::VARCHAR AS line FROM ${opened.table} WHERE ${column} IS NOT NULL`,
      );
      for (const { line } of lines) actions.push(parseAction(line as string));
    }
    return actions;
  } catch (thrown) {
    throw unreadable(checkpoint.paths[0]!, "it is damaged", thrown);
  }
}
