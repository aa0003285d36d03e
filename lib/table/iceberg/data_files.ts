/** Writes the rows of a change as Parquet: one file, or one for each day where the table is partitioned. */
import type { Relation } from "../../change/relation.ts";
import { duckdbType } from "../../dataset/column_type.ts";
import { identifier } from "../../engine/quote.ts";
import type { DataFile } from "../data_file.ts";
import { writeRows } from "../row_files.ts";
import { dateText, daysOf } from "../time_text.ts";
import { fileName, type FileNames, schemaInFiles } from "./file_names.ts";
import type { TablePlace } from "./load_state.ts";
import { blankFile, type FileRecord, partitionKey } from "./manifest.ts";
import type { PartitionSpec } from "./metadata.ts";
import { metricsOf } from "./metrics.ts";
import { fieldIds } from "./parquet_fields.ts";
import { columnType, type IcebergSchema } from "./schema.ts";
import { orderBy, type SortOrder, unsorted } from "./sort_order.ts";

/** What is written, and under which names. */
export interface DataTarget {
  readonly schema: IcebergSchema;
  readonly names: FileNames;
  readonly spec: PartitionSpec;
  /** Of rows inside a file. */
  readonly order: SortOrder;
  /** Unique to the attempt; starts every file's name. */
  readonly prefix: string;
}

/** Writes a relation's rows and gives the files' records; none for no rows. */
export async function writeDataFiles(place: TablePlace, rows: Relation, target: DataTarget): Promise<FileRecord[]> {
  const { spec, schema, names, order } = target;
  const inFiles = schemaInFiles(schema, names);
  const [field] = spec.fields;
  const source = schema.fields.find(({ id }) => id === field?.["source-id"]);
  const day = field && source && { name: field.name, column: source.name, type: columnType(source.type) };
  const { files, isInOrder } = await writeRows({
    ...{ storage: place.storage, connection: place.connection, prefix: target.prefix, day },
    folder: `${place.folder}/data`,
    select: selectOf(rows, schema, names),
    from: identifier(rows.name),
    fieldIds: fieldIds(inFiles),
    orderBy: orderBy(order, { schema: inFiles, spell: ({ name }) => identifier(name) }),
  });
  const key = partitionKey(spec);
  return files.map((file) => {
    const text = field && file.partition.get(field.name);
    const partition = key === undefined ? {} : { [key]: typeof text === "string" ? daysOf(text) ?? null : null };
    return dataFileRecord(place, file, { schema: inFiles, order: isInOrder ? order : unsorted, partition });
  });
}

/** All columns of the table, cast; one that the relation lacks is null in its rows. */
function selectOf(rows: Relation, schema: IcebergSchema, names: FileNames): string {
  const present = new Set(rows.definition.columns.map(({ name }) => name));
  const columns = schema.fields.map((field) => {
    const value = present.has(field.name) ? identifier(field.name) : "NULL";
    return `CAST(${value} AS ${duckdbType(columnType(field.type))}) AS ${identifier(fileName(names, field))}`;
  });
  return `SELECT ${columns.join(", ")}`;
}

/** Where files of a partition stand below the data folder, for people: `seen_day=2026-01-31/`, or nothing. */
export function partitionFolder(spec: PartitionSpec, partition: FileRecord["partition"]): string {
  const [field] = spec.fields;
  if (field === undefined) return "";
  const day = partition[partitionKey(spec)!] ?? null;
  return `${field.name}=${day === null ? "null" : dateText(day)}/`;
}

/** The record of a written data file; `schema` has the names that stand in it. */
export function dataFileRecord(
  place: TablePlace,
  file: DataFile,
  options: { schema: IcebergSchema; order: SortOrder; partition: FileRecord["partition"] },
): FileRecord {
  return {
    ...blankFile,
    ...metricsOf(file, options.schema),
    content: 0,
    file_path: place.storage.uri(file.path),
    file_format: "PARQUET",
    partition: options.partition,
    record_count: file.rows,
    file_size_in_bytes: file.bytes,
    sort_order_id: options.order["order-id"],
  };
}
