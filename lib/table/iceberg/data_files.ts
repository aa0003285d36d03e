/** Writes the rows of a change as Parquet: one file, or one for each partition. */
import type { Relation } from "../../change/relation.ts";
import type { SharedRows } from "../../change/written_rows.ts";
import { identifier } from "../../engine/quote.ts";
import type { DataFile } from "../data_file.ts";
import { partitionFolder } from "../partition_folder.ts";
import { columnValue } from "../row_columns.ts";
import { dayExpression, type Split, writeRows } from "../row_files.ts";
import { vectorColumns } from "../vector_column.ts";
import { fileName, type FileNames, schemaInFiles } from "./file_names.ts";
import type { TablePlace } from "./load_state.ts";
import { blankFile, type FileRecord, partitionOfFile, partitionRecord } from "./manifest.ts";
import type { PartitionField, PartitionSpec } from "./metadata.ts";
import { metricsOf } from "./metrics.ts";
import { fieldIds } from "./parquet_fields.ts";
import { partitionType, type PartitionValue, partitionValue, shownValue } from "./partition_values.ts";
import { columnType, type IcebergField, type IcebergSchema } from "./schema.ts";
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
  readonly shared?: SharedRows | undefined;
}

/** Writes a relation's rows and gives the files' records; none for no rows. */
export async function writeDataFiles(place: TablePlace, rows: Relation, target: DataTarget): Promise<FileRecord[]> {
  const { spec, schema, names, order, shared } = target;
  const inFiles = schemaInFiles(schema, names);
  const { files, isInOrder } = await writeRows({
    ...{ storage: place.storage, connection: place.connection, prefix: target.prefix },
    folder: `${place.folder}/data`,
    columns: new Map(schema.fields.map((field) => [fileName(names, field), valueOf(rows, field)])),
    rows,
    shared,
    splits: spec.fields.map((field) => splitOf(rows, schema, field)),
    fieldIds: fieldIds(inFiles),
    vectors: vectorColumns(rows, (name) => {
      const field = schema.fields.find((field) => field.name === name);
      return field && fileName(names, field);
    }),
    orderBy: orderBy(order, { schema: inFiles, spell: ({ name }) => identifier(name) }),
  });
  return files.map((file) => {
    const partition = partitionRecord(spec, file.values);
    return dataFileRecord(place, file, { schema: inFiles, order: isInOrder ? order : unsorted, partition });
  });
}

function splitOf(rows: Relation, schema: IcebergSchema, field: PartitionField): Split<PartitionValue> {
  const source = schema.fields.find(({ id }) => id === field["source-id"])!;
  const type = partitionType(schema, field);
  const value = valueOf(rows, source);
  return {
    name: field.name,
    column: source.name,
    expression: field.transform === "day" ? dayExpression(value, columnType(source.type)) : value,
    type,
    valueOf: (text) => partitionValue(type, text),
  };
}

/** A column's value, cast; null where the relation lacks it. */
function valueOf({ definition }: Relation, { name, type }: IcebergField): string {
  return columnValue(definition, { name, type: columnType(type) });
}

/** Where merged files of a partition stand below the data folder, for people. */
export function mergedFolder(
  { spec, schema }: { readonly spec: PartitionSpec; readonly schema: IcebergSchema },
  file: FileRecord,
): string {
  return partitionFolder(spec.fields.map((field) => {
    return [field.name, shownValue(partitionType(schema, field), partitionOfFile(file, field))];
  }));
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
