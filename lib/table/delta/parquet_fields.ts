/** How columns stand in Parquet files: under their physical names, and with their ids where columns are mapped. */
import { duckdbType } from "../../dataset/column_type.ts";
import { literal } from "../../engine/quote.ts";
import type { FieldId, FieldIds } from "../field_ids.ts";
import { valueSql } from "./partition_values.ts";
import { columnId, columnType, type DeltaField, physicalName } from "./schema.ts";
import type { LiveFile } from "./state.ts";

/** Undefined without column mapping. */
export function fieldIds(fields: readonly DeltaField[]): FieldIds | undefined {
  const ids = new Map<string, FieldId>();
  for (const field of fields) {
    const id = columnId(field);
    if (id === undefined) return undefined;
    ids.set(physicalName(field), { id });
  }
  return ids;
}

/** Name under which {@linkcode readFiles} gives the n-th column; never equal to a virtual column of the reader. */
export function readName(index: number): string {
  return `c${index}`;
}

/** Columns of a table, or some of them. */
export interface PartitionedFields {
  readonly fields: readonly DeltaField[];
  /** Columns that rows are partitioned by, by physical name. They stand in no file: the log says what they are in each. */
  readonly partition: readonly string[];
}

/** Columns that stand in files. */
export function fieldsInFiles({ fields, partition }: PartitionedFields): readonly DeltaField[] {
  return fields.filter((field) => !partition.includes(physicalName(field)));
}

/** What is read of which files. */
export interface FilesRead extends PartitionedFields {
  /** In the order of their paths. */
  readonly files: readonly Pick<LiveFile, "add" | "rows">[];
}

/** The reader takes no empty list of columns. */
const noColumn = "'': {name: 'none', type: 'BOOLEAN', default_value: NULL}";

/**
 * A table giving columns, as {@linkcode readName} calls them, by physical name from files of any schema version: missing
 * columns are null. It gives `file_index` (place in the list) and `file_row_number` too.
 */
export function readFiles(paths: readonly string[], { fields, partition, files }: FilesRead): string {
  const named = fields.map((field, index) => ({
    field,
    type: duckdbType(columnType(field.type)),
    name: readName(index),
  }));
  const [partitioned, stored] = [true, false].map((isPartitioned) =>
    named.filter(({ field }) => partition.includes(physicalName(field)) === isPartitioned)
  ) as [typeof named, typeof named];
  const columns = stored.map(({ field, type, name }) =>
    `${literal(physicalName(field))}: {name: ${literal(name)}, type: ${literal(type)}, default_value: NULL}`
  );
  // Not told how many rows there are, the engine takes them for few, and joins build their tables of them.
  const rows = files.reduce((sum, file) => sum + file.rows, 0n);
  // Folders are named `x=y` for people; the reader must not take them for columns.
  const table = `read_parquet([${paths.map(literal).join(", ")}], schema = MAP {${
    columns.join(", ") || noColumn
  }}, hive_partitioning = false, explicit_cardinality = ${rows})`;
  if (partitioned.length === 0) return table;
  const values = partitioned.map(({ field, type, name }) =>
    `([${files.map(({ add }) => valueSql(field, add)).join(", ")}]::${type}[])[file_index::BIGINT + 1] AS ${name}`
  );
  const names = stored.map(({ name }) => name);
  return `(SELECT ${[...names, ...values, "file_index", "file_row_number"].join(", ")} FROM ${table})`;
}
