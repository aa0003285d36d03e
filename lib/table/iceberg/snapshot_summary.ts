/** What a snapshot says of itself (Iceberg spec, "Snapshot Summary" and Appendix F). */
import { stringifyJson } from "../lossless_json.ts";
import type { FileRecord } from "./manifest.ts";
import type { Snapshot } from "./metadata.ts";

/** Files that come and go with a snapshot. */
export interface SnapshotFiles {
  readonly addedData: readonly FileRecord[];
  readonly removedData: readonly FileRecord[];
  readonly addedDeletes: readonly FileRecord[];
  readonly removedDeletes: readonly FileRecord[];
}

/** Operation, counts and totals; every value is text, and what is zero is left out of the counts. */
export function snapshotSummary(
  files: SnapshotFiles & { readonly operation?: "replace" },
  parent: Snapshot | undefined,
): Record<string, string> {
  const { operation = operationOf(files), ...ofFiles } = files;
  const counts = countsOf(ofFiles);
  const summary: Record<string, string> = { operation };
  for (const [name, value] of Object.entries(counts)) if (value !== 0n) summary[name] = String(value);
  const totals = {
    "total-records": counts["added-records"] - counts["deleted-records"],
    "total-files-size": counts["added-files-size"] - counts["removed-files-size"],
    "total-data-files": counts["added-data-files"] - counts["deleted-data-files"],
    "total-delete-files": counts["added-delete-files"] - counts["removed-delete-files"],
    "total-position-deletes": counts["added-position-deletes"] - counts["removed-position-deletes"],
    "total-equality-deletes": 0n,
  };
  for (const [name, difference] of Object.entries(totals)) {
    const before = parent === undefined ? "0" : parent.summary[name];
    // A total the parent does not know is not known here either.
    if (before !== undefined && BigInt(before) + difference >= 0n) summary[name] = String(BigInt(before) + difference);
  }
  return { ...summary, "engine-name": "weir" };
}

function operationOf({ addedData, removedData, addedDeletes, removedDeletes }: SnapshotFiles): string {
  const removes = removedData.length + addedDeletes.length + removedDeletes.length > 0;
  if (!removes) return "append";
  return addedData.length > 0 ? "overwrite" : "delete";
}

function countsOf(files: SnapshotFiles) {
  const { addedData, removedData, addedDeletes, removedDeletes } = files;
  const vectors = (records: readonly FileRecord[]) => records.filter(({ content_offset }) => content_offset !== null);
  const partitions = new Set(Object.values(files).flat().map((file: FileRecord) => stringifyJson(file.partition)));
  return {
    "added-data-files": count(addedData),
    "deleted-data-files": count(removedData),
    "added-records": rows(addedData),
    "deleted-records": rows(removedData),
    "added-files-size": bytes(addedData) + bytes(addedDeletes),
    "removed-files-size": bytes(removedData) + bytes(removedDeletes),
    "added-delete-files": count(addedDeletes),
    "removed-delete-files": count(removedDeletes),
    "added-position-delete-files": count(addedDeletes) - count(vectors(addedDeletes)),
    "removed-position-delete-files": count(removedDeletes) - count(vectors(removedDeletes)),
    "added-dvs": count(vectors(addedDeletes)),
    "removed-dvs": count(vectors(removedDeletes)),
    "added-position-deletes": rows(addedDeletes),
    "removed-position-deletes": rows(removedDeletes),
    "changed-partition-count": BigInt(partitions.size),
  };
}

function count(files: readonly FileRecord[]): bigint {
  return BigInt(files.length);
}

function rows(files: readonly FileRecord[]): bigint {
  return files.reduce((sum, file) => sum + file.record_count, 0n);
}

/** A deletion vector counts by its own bytes, not by those of the Puffin file it shares. */
function bytes(files: readonly FileRecord[]): bigint {
  return files.reduce((sum, file) => sum + (file.content_size_in_bytes ?? file.file_size_in_bytes), 0n);
}
