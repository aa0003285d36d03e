/** Writes the rows of a change as Parquet: one file, or one for each day of the table's event time. */
import type { Relation } from "../../change/relation.ts";
import { duckdbType } from "../../dataset/column_type.ts";
import { identifier } from "../../engine/quote.ts";
import type { DataFile } from "../data_file.ts";
import { writeRows } from "../row_files.ts";
import type { AddFile } from "./actions.ts";
import type { TablePlace } from "./load_state.ts";
import { fieldIds } from "./parquet_fields.ts";
import { columnType, type DeltaField, physicalName } from "./schema.ts";
import type { LiveFile } from "./state.ts";
import { statisticsOf } from "./statistics.ts";

/** What is written, and under which names. */
export interface DataTarget {
  readonly fields: readonly DeltaField[];
  /** Key columns by physical name. */
  readonly key: readonly string[];
  /** Unique to the attempt; starts every file's name. */
  readonly prefix: string;
}

/**
 * Writes a relation's rows and gives the files; none for no rows.
 *
 * Days get files of their own and no partition column: their least and greatest instants leave files out for every reader
 * alike, and nobody sees a column that the source does not have.
 */
export async function writeDataFiles(place: TablePlace, rows: Relation, target: DataTarget): Promise<LiveFile[]> {
  const { fields } = target;
  const ids = fieldIds(fields);
  const { files } = await writeRows({
    ...{ storage: place.storage, connection: place.connection, folder: place.folder, prefix: target.prefix },
    select: selectOf(rows, fields),
    from: identifier(rows.name),
    day: dayOf(rows),
    ...(ids === undefined ? {} : { fieldIds: ids }),
  });
  return files.map((file) => liveFile(place, file, target));
}

function dayOf({ definition }: Relation) {
  const column = definition.columns.find(({ name }) => name === definition.partitionByDay);
  return column && { name: "day", column: column.name, type: column.type };
}

/** All columns of the table, cast; one that the relation lacks is null in its rows. */
function selectOf(rows: Relation, fields: readonly DeltaField[]): string {
  const names = new Set(rows.definition.columns.map(({ name }) => name));
  const columns = fields.map((field) => {
    const value = names.has(field.name) ? identifier(field.name) : "NULL";
    return `CAST(${value} AS ${duckdbType(columnType(field.type))}) AS ${identifier(physicalName(field))}`;
  });
  return `SELECT ${columns.join(", ")}`;
}

/** The folder that a file stands in below the table's, with its slash: files of one day stand together. */
export function folderOf({ add: { path } }: LiveFile): string {
  return path.slice(0, path.lastIndexOf("/") + 1);
}

/** A written file as the log will name it. */
export function liveFile({ folder }: Pick<TablePlace, "folder">, file: DataFile, target: DataTarget): LiveFile {
  const add: AddFile = {
    path: encodeURI(file.path.slice(folder.length + 1)),
    partitionValues: {},
    size: Number(file.bytes),
    modificationTime: Date.now(),
    dataChange: true,
    stats: statisticsOf(file, target),
  };
  return { add, rows: file.rows };
}
