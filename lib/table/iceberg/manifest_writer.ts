/** Turns entries into a new manifest and its line in the manifest list. */
import { compareBounds } from "../single_value.ts";
import { encodeManifest, type ManifestContext, type ManifestEntry, partitionOfFile } from "./manifest.ts";
import type { ManifestFile, PartitionSummary } from "./manifest_list.ts";
import type { PartitionField } from "./metadata.ts";
import { partitionType, valueBound } from "./partition_values.ts";
import type { IcebergSchema } from "./schema.ts";

/** A manifest that is not on disk yet. */
export interface NewManifest {
  readonly line: ManifestFile;
  readonly bytes: Uint8Array;
  readonly entries: readonly ManifestEntry[];
}

/** What the commit in the making gives to all of its manifests. */
export interface ManifestTarget extends ManifestContext {
  readonly content: 0 | 1;
  readonly uri: string;
  readonly snapshotId: bigint;
  readonly sequenceNumber: bigint;
  /** Version 3, data manifests: first of the row ids that this manifest takes. */
  readonly firstRowId: bigint | null;
}

/** Encodes a manifest. Added entries get their row ids filled in, so that they read in memory as they will from disk. */
export function newManifest(entries: readonly ManifestEntry[], target: ManifestTarget): NewManifest {
  const bytes = encodeManifest(entries, target);
  const total = totalsOf(entries);
  const line: ManifestFile = {
    manifest_path: target.uri,
    manifest_length: BigInt(bytes.length),
    partition_spec_id: target.spec["spec-id"],
    content: target.content,
    sequence_number: target.sequenceNumber,
    min_sequence_number: smallestSequence(entries, target.sequenceNumber),
    added_snapshot_id: target.snapshotId,
    existing_files_count: total[0].files,
    added_files_count: total[1].files,
    deleted_files_count: total[2].files,
    existing_rows_count: total[0].rows,
    added_rows_count: total[1].rows,
    deleted_rows_count: total[2].rows,
    partitions: target.spec.fields.map((field) => partitionSummary(entries, { schema: target.schema, field })),
    key_metadata: null,
    first_row_id: target.firstRowId,
  };
  return { line, bytes, entries: target.firstRowId === null ? entries : withRowIds(entries, target.firstRowId) };
}

function totalsOf(entries: readonly ManifestEntry[]): [Total, Total, Total] {
  const totals: [Total, Total, Total] = [{ files: 0, rows: 0n }, { files: 0, rows: 0n }, { files: 0, rows: 0n }];
  for (const { status, file } of entries) {
    totals[status].files += 1;
    totals[status].rows += file.record_count;
  }
  return totals;
}

interface Total {
  files: number;
  rows: bigint;
}

function smallestSequence(entries: readonly ManifestEntry[], own: bigint): bigint {
  let smallest = own;
  for (const { status, sequenceNumber } of entries) {
    if (status !== 2 && sequenceNumber < smallest) smallest = sequenceNumber;
  }
  return smallest;
}

function partitionSummary(
  entries: readonly ManifestEntry[],
  { schema, field }: { readonly schema: IcebergSchema; readonly field: PartitionField },
): PartitionSummary {
  const type = partitionType(schema, field);
  const bounds = entries.map(({ file }) => valueBound(type, partitionOfFile(file, field)));
  const known = bounds.filter((bound) => bound !== undefined);
  const outermost = (sign: 1 | -1) =>
    known.length === 0 ? null : known.reduce((a, b) => compareBounds(type, a, b) * sign <= 0 ? a : b);
  return {
    contains_null: known.length < bounds.length,
    contains_nan: false,
    lower_bound: outermost(1),
    upper_bound: outermost(-1),
  };
}

function withRowIds(entries: readonly ManifestEntry[], firstRowId: bigint): ManifestEntry[] {
  let next = firstRowId;
  return entries.map((entry) => {
    if (entry.status !== 1) return entry;
    const numbered = { ...entry, file: { ...entry.file, first_row_id: next } };
    next += entry.file.record_count;
    return numbered;
  });
}
