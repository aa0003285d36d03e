/** Writes the rows of a change as Parquet: one file, or one for each day where the table is partitioned. */
import type { Relation } from "../../change/relation.ts";
import { type ColumnType, duckdbType } from "../../dataset/column_type.ts";
import { identifier, literal } from "../../engine/quote.ts";
import { type PartitionedFile, writeParquet, writeParquetFiles } from "../parquet.ts";
import type { DataFile } from "../data_file.ts";
import type { TablePlace } from "./load_state.ts";
import { blankFile, type FileRecord, partitionKey } from "./manifest.ts";
import type { PartitionSpec } from "./metadata.ts";
import { metricsOf } from "./metrics.ts";
import { fieldIds } from "./parquet_fields.ts";
import { columnType, type IcebergSchema } from "./schema.ts";
import { daysOf } from "../time_text.ts";

/** More days than these go through DuckDB's own splitting, which holds few files open; it costs twice the time per row. */
const mostDaysOneByOne = 8;

/** What is written, and under which names. */
export interface DataTarget {
  readonly schema: IcebergSchema;
  readonly spec: PartitionSpec;
  /** Unique to the attempt; starts every file's name. */
  readonly prefix: string;
}

/** Writes a relation's rows and gives the files' records; none for no rows. */
export async function writeDataFiles(place: TablePlace, rows: Relation, target: DataTarget): Promise<FileRecord[]> {
  const { spec, schema } = target;
  const [field] = spec.fields;
  const select = selectOf(rows, schema);
  if (field === undefined) {
    const file = await writeParquet(place.connection, {
      storage: place.storage,
      path: `${place.folder}/data/${target.prefix}.parquet`,
      select: `${select} FROM ${identifier(rows.name)}`,
      fieldIds: fieldIds(schema),
    });
    return file === undefined ? [] : [fileRecord(place, file, { schema, partition: {} })];
  }
  const source = schema.fields.find(({ id }) => id === field["source-id"])!;
  const day = dayExpression(identifier(source.name), columnType(source.type));
  const files = await writeByDay(place, { select, from: identifier(rows.name), day, ...target });
  const key = partitionKey(spec)!;
  return files.map((file) => {
    const text = file.partition.get(field.name) ?? null;
    return fileRecord(place, file, { schema, partition: { [key]: text === null ? null : daysOf(text) ?? null } });
  });
}

/** All columns of the table, cast; one that the relation lacks is null in its rows. */
function selectOf(rows: Relation, schema: IcebergSchema): string {
  const names = new Set(rows.definition.columns.map(({ name }) => name));
  const columns = schema.fields.map(({ name, type }) => {
    const value = names.has(name) ? identifier(name) : "NULL";
    return `CAST(${value} AS ${duckdbType(columnType(type))}) AS ${identifier(name)}`;
  });
  return `SELECT ${columns.join(", ")}`;
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

interface DaySplit extends DataTarget {
  readonly select: string;
  readonly from: string;
  readonly day: string;
}

async function writeByDay(place: TablePlace, split: DaySplit): Promise<PartitionedFile[]> {
  const { connection, storage, folder } = place;
  const name = split.spec.fields[0]!.name;
  const ids = fieldIds(split.schema);
  const days = await connection.rows(
    `SELECT DISTINCT CAST(${split.day} AS VARCHAR) AS day FROM ${split.from} LIMIT ${mostDaysOneByOne + 1}`,
  );
  if (days.length > mostDaysOneByOne) {
    return [
      ...await writeParquetFiles(connection, {
        storage,
        folder: `${folder}/data`,
        prefix: split.prefix,
        select: `${split.select}, ${split.day} AS ${identifier(name)} FROM ${split.from}`,
        fieldIds: ids,
        partitionBy: [name],
      }),
    ];
  }
  const files: PartitionedFile[] = [];
  for (const { day } of days as { day: string | null }[]) {
    const file = await writeParquet(connection, {
      storage,
      path: `${folder}/data/${name}=${day ?? "null"}/${split.prefix}.parquet`,
      select: `${split.select} FROM ${split.from} WHERE ${split.day} IS NOT DISTINCT FROM ${
        day === null ? "NULL" : `DATE ${literal(day)}`
      }`,
      fieldIds: ids,
    });
    if (file !== undefined) files.push({ ...file, partition: new Map([[name, day]]) });
  }
  return files;
}

function fileRecord(
  place: TablePlace,
  file: DataFile,
  options: { schema: IcebergSchema; partition: FileRecord["partition"] },
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
    sort_order_id: 0,
  };
}
