/** Rows of a change as Parquet: one file, or one for each day of an instant column, so that readers open few of them. */
import type { ColumnType } from "../dataset/column_type.ts";
import type { Connection } from "../engine/connection.ts";
import { identifier, literal } from "../engine/quote.ts";
import type { Storage } from "../storage/storage.ts";
import { type PartitionedFile, writeParquet, writeParquetFiles } from "./parquet.ts";

/** More days than these go through DuckDB's own splitting, which holds few files open; it costs twice the time per row. */
const mostDaysOneByOne = 8;

/** By whose UTC day rows are split. */
export interface DaySplit {
  /** The day's name, in folder names and in {@linkcode PartitionedFile.partition}. */
  readonly name: string;
  /** A column of the relation, of an instant type or a date. */
  readonly column: string;
  readonly type: ColumnType;
}

/** What {@linkcode writeRows} writes, and where. */
export interface RowsTarget {
  readonly storage: Storage;
  readonly connection: Connection;
  /** Folder below the storage root. */
  readonly folder: string;
  /** Unique to the attempt; starts every file's name. */
  readonly prefix: string;
  /** SELECT without FROM. */
  readonly select: string;
  /** The relation, quoted. */
  readonly from: string;
  /** See `ParquetTarget`. */
  readonly fieldIds?: string;
  readonly day?: DaySplit | undefined;
  /** Ends each statement, with a space before it: how rows stand in a file. Default: as they come. */
  readonly orderBy?: string;
}

/** What {@linkcode writeRows} wrote. */
export interface WrittenRows {
  /** None for no rows. */
  readonly files: readonly PartitionedFile[];
  /** Whether rows stand as `orderBy` says: what DuckDB splits itself it does not keep in order. */
  readonly isInOrder: boolean;
}

/** Writes the rows. */
export async function writeRows(target: RowsTarget): Promise<WrittenRows> {
  if (target.day !== undefined) return await writeByDay(target, target.day);
  const { storage, folder, prefix, select, from, orderBy = "" } = target;
  const file = await writeParquet(target.connection, {
    ...{ storage, path: `${folder}/${prefix}.parquet`, select: `${select} FROM ${from}${orderBy}` },
    ...(target.fieldIds === undefined ? {} : { fieldIds: target.fieldIds }),
  });
  return { files: file === undefined ? [] : [{ ...file, partition: new Map() }], isInOrder: true };
}

/**
 * The UTC day of an instant as DATE. Microseconds are divided towards minus infinity (Iceberg spec, "Partition
 * Transforms": negative instants too); DuckDB's `//` rounds towards zero.
 */
export function dayExpression(column: string, type: ColumnType): string {
  if (type.kind === "date") return column;
  const micros = `epoch_us(${column})`;
  const day = 86_400_000_000;
  return `DATE '1970-01-01' + CAST((${micros} - ((${micros} % ${day}) + ${day}) % ${day}) // ${day} AS INTEGER)`;
}

async function writeByDay(target: RowsTarget, split: DaySplit): Promise<WrittenRows> {
  const { connection, storage, folder, prefix, select, from, orderBy = "" } = target;
  const { name } = split;
  const expression = dayExpression(identifier(split.column), split.type);
  const common = { storage, ...(target.fieldIds === undefined ? {} : { fieldIds: target.fieldIds }) };
  const days = await connection.rows(
    `SELECT DISTINCT CAST(${expression} AS VARCHAR) AS day FROM ${from} LIMIT ${mostDaysOneByOne + 1}`,
  );
  if (days.length > mostDaysOneByOne) {
    const split = `${select}, ${expression} AS ${identifier(name)} FROM ${from}`;
    const files = await writeParquetFiles(connection, {
      ...common,
      folder,
      prefix,
      select: split,
      partitionBy: [name],
    });
    return { files, isInOrder: false };
  }
  const files: PartitionedFile[] = [];
  for (const { day } of days as { day: string | null }[]) {
    const isDay = `${expression} IS NOT DISTINCT FROM ${day === null ? "NULL" : `DATE ${literal(day)}`}`;
    const file = await writeParquet(connection, {
      ...common,
      path: `${folder}/${name}=${day ?? "null"}/${prefix}.parquet`,
      select: `${select} FROM ${from} WHERE ${isDay}${orderBy}`,
    });
    if (file !== undefined) files.push({ ...file, partition: new Map([[name, day]]) });
  }
  return { files, isInOrder: true };
}
