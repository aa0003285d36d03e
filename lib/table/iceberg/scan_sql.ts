/** The SELECT that reads a state: current columns by field id, without deleted rows. */
import { duckdbType } from "../../dataset/column_type.ts";
import { identifier } from "../../engine/quote.ts";
import type { DeletedRows } from "../deleted_rows/deleted_rows.ts";
import { liveRowsSql } from "../deleted_rows/live_rows_sql.ts";
import type { TablePlace } from "./load_state.ts";
import { currentSchema } from "./metadata.ts";
import { readFiles, readName } from "./parquet_fields.ts";
import { columnType, type IcebergField } from "./schema.ts";
import type { IcebergState, LiveFile } from "./state.ts";

/** SELECT over a state's snapshot giving its columns in order; any connection of the same database may run it. */
export async function scanSql({ storage }: TablePlace, state: IcebergState, deleted: DeletedRows): Promise<string> {
  const { fields } = currentSchema(state.metadata);
  const select = await liveRowsSql({
    files: [...state.files].map(([uri, { entry, deletes }]) => {
      const own = deletes && { positions: deletes.positions, sequenceNumber: deletes.entry.sequenceNumber };
      return { uri, path: storage.duckdbPath(storage.path(uri)), rows: entry.file.record_count, deleted: own };
    }),
    columns: selectList(fields),
    read: (paths, rows) => readFiles(paths, fields, rows),
    deleted,
    sequenceNumber: state.metadata["last-sequence-number"],
  });
  return select ?? emptySelect(fields);
}

/** Some rows of a file, by their numbers in it. */
export interface FileRows {
  readonly file: LiveFile;
  readonly rows: readonly number[];
}

/** SELECT of single rows of files under a schema's columns, deleted or not; for rows so few that a statement can name them. */
export function rowsSql(
  { storage }: TablePlace,
  parts: readonly FileRows[],
  fields: readonly IcebergField[],
): string {
  const paths = parts.map(({ file: { entry } }) => storage.duckdbPath(storage.path(entry.file.file_path)));
  const places = parts.flatMap(({ rows }, index) => rows.map((row) => `(${index}, ${row})`));
  return `SELECT ${selectList(fields)} FROM ${readFiles(paths, fields)} AS live
    SEMI JOIN (VALUES ${places.join(", ")}) AS wanted (index, row)
    ON live.file_index = wanted.index AND live.file_row_number = wanted.row`;
}

function selectList(fields: readonly IcebergField[]): string {
  return fields.map((field) => `${readName(field)} AS ${identifier(field.name)}`).join(", ");
}

function emptySelect(fields: readonly IcebergField[]): string {
  const columns = fields.map((field) => `NULL::${duckdbType(columnType(field.type))} AS ${identifier(field.name)}`);
  return `SELECT ${columns.join(", ")} WHERE false`;
}
