/** Which data files of an Iceberg table are merged next. */
import { type MergePlan, planMerge } from "../merging/merge_plan.ts";
import type { UpkeepPolicy } from "../upkeep.ts";
import { type IcebergState, partitionOf } from "./state.ts";

/** The compaction that saves readers most for what it costs; undefined where none is due. */
export function planCompaction({ files }: Pick<IcebergState, "files">, policy: UpkeepPolicy): MergePlan | undefined {
  const mergeable = [...files].map(([uri, live]) => ({
    uri,
    partition: partitionOf(live),
    bytes: Number(live.entry.file.file_size_in_bytes),
    rows: live.entry.file.record_count,
    deletedRows: live.deletes?.positions.count ?? 0,
    age: live.entry.sequenceNumber,
  }));
  return planMerge(mergeable, policy);
}
