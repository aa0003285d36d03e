/** Writes the rows of a change as Parquet: one file, or one for each partition and day of the table's event time. */
import type { Relation } from "../../change/relation.ts";
import type { SharedRows } from "../../change/written_rows.ts";
import { type ScalarType, types } from "../../dataset/column_type.ts";
import { identifier } from "../../engine/quote.ts";
import type { DataFile } from "../data_file.ts";
import { columnValue } from "../row_columns.ts";
import { dayExpression, type Split, writeRows } from "../row_files.ts";
import { vectorColumns } from "../vector_column.ts";
import type { AddFile } from "./actions.ts";
import type { TablePlace } from "./load_state.ts";
import { fieldIds, fieldsInFiles } from "./parquet_fields.ts";
import { logText } from "./partition_values.ts";
import { columnType, type DeltaField, physicalName } from "./schema.ts";
import type { LiveFile } from "./state.ts";
import { statisticsOf } from "./statistics.ts";

/** What is written, and under which names. */
export interface DataTarget {
  readonly fields: readonly DeltaField[];
  /** Columns that rows are partitioned by, by physical name. */
  readonly partition: readonly string[];
  /** Key columns by physical name. */
  readonly key: readonly string[];
  /** Unique to the attempt; starts every file's name. */
  readonly prefix: string;
  readonly shared?: SharedRows | undefined;
}

/**
 * Writes a relation's rows and gives the files; none for no rows.
 *
 * Days get files of their own inside a partition and no partition column: their least and greatest instants leave files out for
 * every reader alike, and nobody sees a column that the source does not have.
 */
export async function writeDataFiles(place: TablePlace, rows: Relation, target: DataTarget): Promise<LiveFile[]> {
  const written = fieldsInFiles(target);
  const { files } = await writeRows({
    ...{ storage: place.storage, connection: place.connection, folder: place.folder, prefix: target.prefix },
    columns: new Map(written.map((field) => [physicalName(field), valueOf(rows, field)])),
    rows,
    shared: target.shared,
    splits: [...target.partition.map((name) => partitionSplit(rows, target, name)), ...daySplit(rows)],
    vectors: vectorColumns(rows, (name) => {
      const field = written.find((field) => field.name === name);
      return field && physicalName(field);
    }),
    fieldIds: fieldIds(written),
  });
  return files.map((file) => {
    const partitionValues = Object.fromEntries(target.partition.map((name, index) => [name, file.values[index]!]));
    return liveFile(place, file, { ...target, partitionValues });
  });
}

function partitionSplit(rows: Relation, { fields }: DataTarget, name: string): Split<string | null> {
  const field = fields.find((each) => physicalName(each) === name)!;
  return {
    name: field.name,
    column: field.name,
    expression: valueOf(rows, field),
    type: columnType(field.type) as ScalarType,
    valueOf: (text) => logText(field, text),
  };
}

function daySplit({ definition }: Relation): Split<string | null>[] {
  const column = definition.columns.find(({ name }) => name === definition.partitionByDay);
  if (column === undefined) return [];
  const expression = dayExpression(identifier(column.name), column.type);
  return [{ name: "day", column: column.name, expression, type: types.date, valueOf: (text) => text }];
}

/** A column's value, cast; null where the relation lacks it. */
function valueOf({ definition }: Relation, field: DeltaField): string {
  return columnValue(definition, { name: field.name, type: columnType(field.type) });
}

/** The folder that a file stands in below the table's, with its slash: files of one day stand together. */
export function folderOf({ add: { path } }: LiveFile): string {
  return path.slice(0, path.lastIndexOf("/") + 1);
}

/** A written file as the log will name it. */
export function liveFile(
  { folder }: Pick<TablePlace, "folder">,
  file: DataFile,
  target: DataTarget & Pick<AddFile, "partitionValues">,
): LiveFile {
  const add: AddFile = {
    path: encodeURI(file.path.slice(folder.length + 1)),
    partitionValues: target.partitionValues,
    size: Number(file.bytes),
    modificationTime: Date.now(),
    dataChange: true,
    stats: statisticsOf(file, target),
  };
  return { add, rows: file.rows };
}
