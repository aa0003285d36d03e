/** The SELECT that reads a state: current columns by field id, without deleted rows. */
import type { Scan } from "../../change/sink.ts";
import { duckdbType } from "../../dataset/column_type.ts";
import { identifier } from "../../engine/quote.ts";
import type { DeletedRows } from "../deleted_rows/deleted_rows.ts";
import { rowCount, scanLiveRows } from "../deleted_rows/live_rows.ts";
import type { TablePlace } from "./load_state.ts";
import { currentSchema } from "./metadata.ts";
import { readFiles, readName } from "./parquet_fields.ts";
import { columnType, type IcebergField } from "./schema.ts";
import type { IcebergState, LiveFile } from "./state.ts";

/** A state's columns in order, over its files; any connection of the same database may run it. */
export async function scanState({ storage }: TablePlace, state: IcebergState, deleted: DeletedRows): Promise<Scan> {
  const { fields } = currentSchema(state.metadata);
  const scan = await scanLiveRows(storage, {
    files: [...state.files].map(([uri, { entry, deletes }]) => {
      const own = deletes && { positions: deletes.positions, sequenceNumber: deletes.entry.sequenceNumber };
      return { uri, path: storage.path(uri), rows: entry.file.record_count, deleted: own };
    }),
    columns: selectList(fields),
    read: (paths, files) => readFiles(paths, fields, rowCount(files)),
    deleted,
    sequenceNumber: state.metadata["last-sequence-number"],
  });
  return scan ?? { sql: emptySelect(fields), [Symbol.dispose]: () => {} };
}

/** Some rows of a file, by their numbers in it. */
export interface FileRows {
  readonly file: LiveFile;
  readonly rows: readonly number[];
}

/** Single rows of files under a schema's columns, deleted or not; for rows so few that a statement can name them. */
export async function scanRows(
  { storage }: TablePlace,
  parts: readonly FileRows[],
  fields: readonly IcebergField[],
): Promise<Scan> {
  const paths = parts.map(({ file: { entry } }) => storage.path(entry.file.file_path));
  const readable = await storage.readable(paths);
  const places = parts.flatMap(({ rows }, index) => rows.map((row) => `(${index}, ${row})`));
  const sql = `SELECT ${selectList(fields)} FROM ${readFiles(paths.map(readable.duckdbPath), fields)} AS live
    SEMI JOIN (VALUES ${places.join(", ")}) AS wanted (index, row)
    ON live.file_index = wanted.index AND live.file_row_number = wanted.row`;
  return { sql, [Symbol.dispose]: () => readable[Symbol.dispose]() };
}

function selectList(fields: readonly IcebergField[]): string {
  return fields.map((field) => `${readName(field)} AS ${identifier(field.name)}`).join(", ");
}

function emptySelect(fields: readonly IcebergField[]): string {
  const columns = fields.map((field) => `NULL::${duckdbType(columnType(field.type))} AS ${identifier(field.name)}`);
  return `SELECT ${columns.join(", ")} WHERE false`;
}
