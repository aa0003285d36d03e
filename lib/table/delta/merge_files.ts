/**
 * Merges data files: their living rows, in their order, as one file.
 *
 * Promise: row n of the merged file is the n-th living row of the inputs, so that a row that is deleted while files are merged is
 * found again by counting, without a look-up of keys. No row changes for anybody: readers of changes pass the commit over.
 */
import type { Connection } from "../../engine/connection.ts";
import { identifier } from "../../engine/quote.ts";
import { WeirError } from "../../errors.ts";
import { failPoint } from "../../fail_point.ts";
import type { ReadableFiles } from "../../storage/storage.ts";
import type { DataFile } from "../data_file.ts";
import { PositionBitmap } from "../deleted_rows/position_bitmap.ts";
import { goneRows, mergedRowGroupRows, segmentsOf, whereLiving } from "../merging/living_rows.ts";
import { type MergePlan, planMerge } from "../merging/merge_plan.ts";
import { writeParquet } from "../parquet.ts";
import type { UpkeepPolicy } from "../upkeep.ts";
import { folderOf, liveFile } from "./data_files.ts";
import { filePath, type TablePlace } from "./load_state.ts";
import { markRows } from "./mark_rows.ts";
import { fieldIds, fieldsInFiles, readFiles, readName } from "./parquet_fields.ts";
import type { DeltaPrepared } from "./prepared_change.ts";
import { type DeltaField, physicalName } from "./schema.ts";
import { type DeltaState, type LiveFile, liveRows, usesVectors } from "./state.ts";

/** The compaction that is most worth its cost now. Files of one partition and folder are merged: those of a day stay a day's. */
export function planCompaction({ files }: DeltaState, policy: UpkeepPolicy): MergePlan | undefined {
  const mergeable = [...files].map(([uri, file]) => ({
    ...{ uri, rows: file.rows, partition: partitionOf(file), bytes: file.add.size },
    deletedRows: file.deleted?.positions.count ?? 0,
    age: BigInt(file.add.modificationTime),
  }));
  return planMerge(mergeable, policy);
}

function partitionOf(file: LiveFile): string {
  const values = Object.entries(file.add.partitionValues).sort(([left], [right]) => left < right ? -1 : 1);
  return JSON.stringify([folderOf(file), values]);
}

/** What is merged. */
export interface MergeWork {
  readonly state: DeltaState;
  readonly plan: MergePlan;
  /** Not the table's own: batches are committed meanwhile. */
  readonly connection: Connection;
}

/** Writes the merged file of a plan. Inputs that have left the table since it was made are left out. */
export async function mergeFiles(place: TablePlace, { state, plan, connection }: MergeWork): Promise<DeltaPrepared> {
  const inputs = plan.inputs.flatMap((path) => state.files.get(path) ?? []);
  const [first] = inputs;
  const folder = first === undefined ? "" : folderOf(first);
  const path = filePath(place, `${folder}${crypto.randomUUID()}.parquet`);
  const fields = fieldsInFiles(state);
  using readable = await place.storage.readable(inputs.map(({ add }) => filePath(place, add.path)));
  const written = inputs.length === 0 ? undefined : await writeParquet(connection, {
    ...{ storage: place.storage, path, select: livingRows({ ...place, readable }, inputs, fields) },
    rowGroupRows: mergedRowGroupRows(sizeOf(inputs)),
    fieldIds: fieldIds(fields),
  });
  await failPoint("delta.afterMergedFile");
  await refuseOther(place, { written, inputs, path });
  const { partitionValues } = first?.add ?? { partitionValues: {} };
  const target = { fields, partition: state.partition, key: state.physicalKey, prefix: "", partitionValues };
  const file = written && unchanged(liveFile(place, written, target));
  return prepared(state, { merge: { inputs, file }, added: file, paths: file === undefined ? [] : [path] });
}

function sizeOf(inputs: readonly LiveFile[]): { readonly rows: number; readonly bytes: number } {
  return {
    rows: inputs.reduce((sum, { rows }) => sum + Number(rows), 0),
    bytes: inputs.reduce((sum, { add }) => sum + add.size, 0),
  };
}

function unchanged(file: LiveFile): LiveFile {
  return { ...file, add: { ...file.add, dataChange: false } };
}

interface Merged {
  readonly merge: Required<DeltaPrepared>["merge"];
  readonly added: LiveFile | undefined;
  readonly paths: readonly string[];
}

function prepared(state: DeltaState, { merge, added, paths }: Merged): DeltaPrepared {
  const { protocol, metadata, position } = state;
  const description = { protocol, metadata };
  const present = merge.inputs.flatMap(({ add }) => state.files.get(add.path) ?? []);
  return {
    ...{ base: description, target: description, truncate: false, position, merge, paths },
    added: added === undefined ? [] : [added],
    replaced: present.map((file) => ({ target: file, dataChange: false })),
  };
}

/** Everything that follows counts rows: a file with more or fewer of them must never be committed. */
async function refuseOther(
  place: TablePlace,
  { written, inputs, path }: { written: DataFile | undefined; inputs: readonly LiveFile[]; path: string },
): Promise<void> {
  const expected = inputs.reduce((rows, file) => rows + liveRows(file), 0n);
  if ((written?.rows ?? 0n) === expected) return;
  await place.storage.delete(path);
  throw new WeirError("internal", `Merged ${expected} rows, but ${written?.rows ?? 0n} were written`, {
    detail: { path },
  });
}

function livingRows(
  place: TablePlace & { readonly readable: ReadableFiles },
  inputs: readonly LiveFile[],
  fields: readonly DeltaField[],
): string {
  const columns = fields.map((field, index) => `${readName(index)} AS ${identifier(physicalName(field))}`).join(", ");
  const files = inputs.map(({ add, rows, deleted }) => ({ add, rows, deleted: deleted?.positions }));
  return segmentsOf(files).map((segment) => {
    const paths = segment.map(({ add }) => place.readable.duckdbPath(filePath(place, add.path)));
    return `SELECT ${columns} FROM ${readFiles(paths, { fields, partition: [], files: segment })}${
      whereLiving(segment[0]!)
    }`;
  }).join(" UNION ALL ");
}

/**
 * The merge on a newer state: what was deleted from the inputs meanwhile is deleted from the merged file. Undefined where no row
 * of it lives any more, where rows came back to life, or where the table has no deletion vectors to say it with.
 */
export async function rebaseMerge(
  place: TablePlace,
  state: DeltaState,
  merged: DeltaPrepared,
): Promise<DeltaPrepared | undefined> {
  const { inputs, file } = merged.merge!;
  const gone = goneRows(inputs.map((input) => {
    const now = state.files.get(input.add.path);
    const living = Number(liveRows(input));
    return { living, before: input.deleted?.positions, now: now && { deleted: now.deleted?.positions } };
  }));
  const isThere = inputs.some(({ add }) => state.files.has(add.path));
  const isEmpty = gone !== undefined && file !== undefined && BigInt(gone.length) === file.rows;
  if (gone === undefined || !isThere || isEmpty) return undefined;
  if (gone.length === 0) return prepared(state, { merge: merged.merge!, added: file, paths: merged.paths });
  if (!usesVectors(state)) return undefined;
  const deleted = PositionBitmap.empty.with(gone);
  const marked = await markRows(place, [{ file: file!, deleted, dataChange: false }]);
  await failPoint("delta.afterCarriedDeletes");
  const paths = [...merged.paths, marked.path];
  return prepared(state, { merge: merged.merge!, added: marked.files[0]!, paths });
}
