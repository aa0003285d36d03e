/** The SELECT that reads a state: current columns by physical name, without deleted rows. */
import type { Scan } from "../../change/sink.ts";
import { duckdbType } from "../../dataset/column_type.ts";
import { identifier } from "../../engine/quote.ts";
import type { DeletedRows } from "../deleted_rows/deleted_rows.ts";
import { scanLiveRows } from "../deleted_rows/live_rows.ts";
import { filePath, type TablePlace } from "./load_state.ts";
import { readFiles, readName } from "./parquet_fields.ts";
import { columnType } from "./schema.ts";
import type { DeltaState } from "./state.ts";

/** A state's columns in order, over its files; any connection of the same database may run it. */
export async function scanState(place: TablePlace, state: DeltaState, deleted: DeletedRows): Promise<Scan> {
  const { fields, partition } = state;
  const scan = await scanLiveRows(place.storage, {
    files: [...state.files].map(([uri, file]) => ({
      ...{ uri, add: file.add },
      path: filePath(place, uri),
      rows: file.rows,
      deleted: file.deleted && { positions: file.deleted.positions, sequenceNumber: BigInt(file.deleted.since) },
    })),
    columns: fields.map(({ name }, index) => `${readName(index)} AS ${identifier(name)}`).join(", "),
    read: (paths, files) => readFiles(paths, { fields, partition, files }),
    deleted,
    sequenceNumber: BigInt(state.version),
  });
  if (scan !== undefined) return scan;
  const nulls = fields.map(({ name, type }) => `NULL::${duckdbType(columnType(type))} AS ${identifier(name)}`);
  return { sql: `SELECT ${nulls.join(", ")} WHERE false`, [Symbol.dispose]: () => {} };
}
