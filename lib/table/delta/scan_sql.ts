/** The SELECT that reads a state: current columns by physical name, without deleted rows. */
import { duckdbType } from "../../dataset/column_type.ts";
import { identifier } from "../../engine/quote.ts";
import type { DeletedRows } from "../deleted_rows/deleted_rows.ts";
import { liveRowsSql } from "../deleted_rows/live_rows_sql.ts";
import { filePath, type TablePlace } from "./load_state.ts";
import { readFiles, readName } from "./parquet_fields.ts";
import { columnType } from "./schema.ts";
import type { DeltaState } from "./state.ts";

/** SELECT over a state's snapshot giving its columns in order; any connection of the same database may run it. */
export async function scanSql(place: TablePlace, state: DeltaState, deleted: DeletedRows): Promise<string> {
  const { fields } = state;
  const select = await liveRowsSql({
    files: [...state.files].map(([uri, file]) => ({
      uri,
      path: place.storage.duckdbPath(filePath(place, uri)),
      rows: file.rows,
      deleted: file.deleted && { positions: file.deleted.positions, sequenceNumber: BigInt(file.deleted.since) },
    })),
    columns: fields.map(({ name }, index) => `${readName(index)} AS ${identifier(name)}`).join(", "),
    read: (paths, rows) => readFiles(paths, fields, rows),
    deleted,
    sequenceNumber: BigInt(state.version),
  });
  if (select !== undefined) return select;
  const nulls = fields.map(({ name, type }) => `NULL::${duckdbType(columnType(type))} AS ${identifier(name)}`);
  return `SELECT ${nulls.join(", ")} WHERE false`;
}
