/** Data files written anew: without their deleted rows, and with the types that their columns have now. */
import { duckdbType } from "../../dataset/column_type.ts";
import { identifier } from "../../engine/quote.ts";
import { DeletedRows } from "../deleted_rows/deleted_rows.ts";
import { scanLiveRows } from "../deleted_rows/live_rows.ts";
import type { PositionBitmap } from "../deleted_rows/position_bitmap.ts";
import { writeParquet } from "../parquet.ts";
import { type DataTarget, folderOf, liveFile } from "./data_files.ts";
import { filePath, type TablePlace } from "./load_state.ts";
import { fieldIds, fieldsInFiles, readFiles, readName } from "./parquet_fields.ts";
import { columnType, physicalName } from "./schema.ts";
import type { LiveFile } from "./state.ts";

/** A file and the positions of it that are deleted. */
export interface FileRewrite {
  readonly file: LiveFile;
  readonly deleted: PositionBitmap | undefined;
}

/** Writes a file's remaining rows as another file; undefined where none remain. */
export async function rewriteFile(
  place: TablePlace,
  { file, deleted }: FileRewrite,
  target: DataTarget,
): Promise<LiveFile | undefined> {
  const { storage, connection } = place;
  const fields = fieldsInFiles(target);
  const columns = fields.map((field, index) =>
    `CAST(${readName(index)} AS ${duckdbType(columnType(field.type))}) AS ${identifier(physicalName(field))}`
  );
  // A table of its own: what is left out here is not deleted for anybody until the commit.
  const scratch = new DeletedRows(connection);
  try {
    const uri = file.add.path;
    using scan = await scanLiveRows(storage, {
      files: [{
        ...{ uri, add: file.add },
        path: filePath(place, uri),
        rows: file.rows,
        deleted: deleted && { positions: deleted, sequenceNumber: 0n },
      }],
      columns: columns.join(", "),
      read: (paths, files) => readFiles(paths, { fields, partition: [], files }),
      deleted: scratch,
      sequenceNumber: 0n,
    });
    const written = await writeParquet(connection, {
      ...{ storage, path: filePath(place, `${folderOf(file)}${crypto.randomUUID()}.parquet`), select: scan!.sql },
      fieldIds: fieldIds(fields),
    });
    const { partitionValues } = file.add;
    return written && liveFile(place, written, { ...target, partitionValues });
  } finally {
    await scratch.drop();
  }
}
