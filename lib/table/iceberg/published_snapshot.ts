/** An Iceberg table's version as other formats publish it. */
import type { Position } from "../../change/position.ts";
import { type ColumnType, duckdbType } from "../../dataset/column_type.ts";
import { literal } from "../../engine/quote.ts";
import type { ColumnInFile, PublishedFile, PublishedSnapshot } from "../published_table.ts";
import { fileName, fileNames } from "./file_names.ts";
import { keptSnapshots } from "./history.ts";
import type { TablePlace } from "./load_state.ts";
import { currentSchema, type TableMetadata } from "./metadata.ts";
import { ofColumn } from "./metrics.ts";
import { ownProperties } from "./properties.ts";
import { columnsOf, columnType } from "./schema.ts";
import type { IcebergState, LiveFile } from "./state.ts";

/** Facts of live files, which versions of a table share. */
const known = new WeakMap<LiveFile, PublishedFile>();

/** A version with everything that its metadata knows of it. */
export function publishedSnapshot(place: TablePlace, state: IcebergState): PublishedSnapshot {
  const { metadata, snapshotId, position } = state;
  const schema = currentSchema(metadata);
  const names = fileNames(metadata);
  const commitTimeMs = metadata.properties[ownProperties.commitTimeMs];
  const columns = columnsOf(schema).map((column, index) => {
    const field = schema.fields[index]!;
    return { ...column, id: field.id, fileName: fileName(names, field) };
  });
  return {
    columns,
    highestColumnId: metadata["last-column-id"],
    key: state.key,
    files: new Map([...state.files].map(([uri, file]) => [uri, publishedFile(file)])),
    after: (earlier) => startOf(metadata, { earlier, snapshotId, position }),
    inFiles: (files) => isPlain(metadata) ? Promise.resolve(undefined) : columnsInFiles(place, metadata, files),
    ...(snapshotId === undefined ? {} : { snapshotId }),
    ...(position === undefined ? {} : { position }),
    ...(commitTimeMs === undefined ? {} : { commitTimeMs: Number(commitTimeMs) }),
  };
}

function publishedFile(file: LiveFile): PublishedFile {
  const found = known.get(file);
  if (found !== undefined) return found;
  const { entry: { file: record }, deletes } = file;
  const made: PublishedFile = {
    uri: record.file_path,
    bytes: record.file_size_in_bytes,
    rows: record.record_count,
    ...(deletes === undefined ? {} : { deleted: deletes.positions }),
    facts: (id) => {
      const nulls = ofColumn(record.null_value_counts, id);
      return {
        lower: ofColumn(record.lower_bounds, id),
        upper: ofColumn(record.upper_bounds, id),
        hasNoNan: ofColumn(record.nan_value_counts, id) === 0n,
        ...(nulls === undefined ? {} : { nulls }),
      };
    },
  };
  known.set(file, made);
  return made;
}

/** Where the change begins that leads from an earlier snapshot to the newest: several may lie between. */
function startOf(
  metadata: TableMetadata,
  of: {
    readonly earlier: bigint | undefined;
    readonly snapshotId: bigint | undefined;
    readonly position: Position | undefined;
  },
): Position | undefined {
  if (of.earlier === of.snapshotId) return of.position;
  const snapshots = keptSnapshots(metadata);
  const at = snapshots.findIndex(({ id }) => id === of.earlier);
  return at < 0 ? undefined : snapshots[at + 1]?.after;
}

/** Whether no column was ever called or typed otherwise than now, so that every file has them as they are. */
function isPlain(metadata: TableMetadata): boolean {
  if (Object.keys(fileNames(metadata)).length > 0) return false;
  const seen = new Map<number, string>();
  for (const { id, name, type } of metadata.schemas.flatMap(({ fields }) => fields)) {
    const text = `${duckdbType(columnType(type))} ${name}`;
    if ((seen.get(id) ?? text) !== text) return false;
    seen.set(id, text);
  }
  return true;
}

/** What the files say of themselves: their footers alone are read. */
async function columnsInFiles(
  { storage, connection }: TablePlace,
  metadata: TableMetadata,
  files: readonly PublishedFile[],
): Promise<ReadonlyMap<PublishedFile, ReadonlyMap<number, ColumnInFile>>> {
  const found = new Map<PublishedFile, ReadonlyMap<number, ColumnInFile>>();
  const typed = typesByName(metadata);
  for (const file of files) {
    using readable = await storage.readable([storage.path(file.uri)]);
    const path = literal(readable.duckdbPath(storage.path(file.uri)));
    const [ids, described] = [
      await connection.rows(`SELECT name, field_id FROM parquet_schema(${path}) WHERE field_id IS NOT NULL`),
      await connection.rows(
        `SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM read_parquet(${path}, hive_partitioning = false))`,
      ),
    ];
    const types = new Map(described.map((row) => [row["column_name"], typed.get(String(row["column_type"]))]));
    const columns = new Map<number, ColumnInFile>();
    for (const { name, field_id: id } of ids as { name: string; field_id: number | bigint }[]) {
      const type = types.get(name);
      if (type !== undefined) columns.set(Number(id), { name, type });
    }
    found.set(file, columns);
  }
  return found;
}

/** Every type that a column of the table ever had, by DuckDB's name of it. */
function typesByName({ schemas }: TableMetadata): ReadonlyMap<string, ColumnType> {
  const types = schemas.flatMap(({ fields }) => fields).map(({ type }) => columnType(type));
  return new Map(types.map((type) => [describedType(type), type]));
}

function describedType(type: ColumnType): string {
  return duckdbType(type).replace("TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE");
}
