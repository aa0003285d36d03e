/**
 * Fits a merged file to a newer state of its table.
 *
 * Promise: what was deleted from the inputs while they were merged is deleted from the merged file; nothing else is. It costs
 * one small file and no reading, for the writer waits.
 */
import { failPoint } from "../../fail_point.ts";
import { writeDeletes } from "./delete_files.ts";
import type { TablePlace } from "./load_state.ts";
import { livingRowCount } from "./merge_files.ts";
import { currentSchema } from "./metadata.ts";
import { PositionBitmap } from "../deleted_rows/position_bitmap.ts";
import { goneRows } from "../merging/living_rows.ts";
import { type IcebergPrepared, type PreparedMerge, progressOf } from "./prepared_change.ts";
import type { IcebergState } from "./state.ts";

/**
 * The merge on a newer state; undefined where no row of it lives any more, or where rows came back to life.
 *
 * Inputs that have left are wholly deleted, or their rows live on elsewhere: either way none of them lives in the merged file.
 */
export async function rebaseMerge(
  place: TablePlace,
  state: IcebergState,
  prepared: IcebergPrepared,
): Promise<IcebergPrepared | undefined> {
  const { inputs } = prepared.merge!;
  const gone = goneFrom(state, prepared.merge!);
  const removed = inputs.flatMap(({ entry }) => state.files.get(entry.file.file_path) ?? []);
  const rows = inputs.reduce((sum, each) => sum + livingRowCount(each), 0);
  if (gone === undefined || removed.length === 0 || (rows > 0 && gone.count === rows)) return undefined;
  const deletes = await writeCarried(place, { prepared, gone, formatVersion: state.metadata["format-version"] });
  return {
    ...prepared,
    schema: currentSchema(state.metadata),
    lastColumnId: state.metadata["last-column-id"],
    baseSchemaId: state.metadata["current-schema-id"],
    ...progressOf(state),
    removed,
    merge: { ...withoutDeletes(prepared.merge!), ...(deletes === undefined ? {} : { deletes }) },
    paths: [...prepared.paths, ...deletes === undefined ? [] : [place.storage.path(deletes.file.file_path)]],
  };
}

function withoutDeletes({ deletes: _, ...merge }: PreparedMerge): PreparedMerge {
  return merge;
}

async function writeCarried(
  place: TablePlace,
  carried: { prepared: IcebergPrepared; gone: PositionBitmap; formatVersion: 2 | 3 },
): Promise<PreparedMerge["deletes"]> {
  const { prepared, gone, formatVersion } = carried;
  if (gone.count === 0) return undefined;
  const deletes = [{ dataFile: prepared.dataFiles[0]!, positions: gone }];
  const [file] = await writeDeletes(place, deletes, { formatVersion, prefix: crypto.randomUUID() });
  await failPoint("iceberg.afterCarriedDeletes");
  return { file: file!, positions: gone };
}

/** Positions in the merged file that are deleted by now; undefined where a deleted row of an input lives again. */
function goneFrom(state: IcebergState, { inputs, places }: PreparedMerge): PositionBitmap | undefined {
  const gone = goneRows(inputs.map((input) => {
    const now = state.files.get(input.entry.file.file_path);
    return {
      living: livingRowCount(input),
      before: input.deletes?.positions,
      now: now && { deleted: now.deletes?.positions },
    };
  }));
  return gone && PositionBitmap.empty.with(places === undefined ? gone : gone.map((row) => places[row]!));
}
