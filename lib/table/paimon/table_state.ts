/** What is known of a table at one snapshot: enough to write the next and to plan a scan, without a look at the disk. */
import type { Position } from "../../change/position.ts";
import type { PositionBitmap } from "../deleted_rows/position_bitmap.ts";
import type { TableState } from "../lake_table.ts";
import { entryIdentity, entryKind, type ManifestEntry, type ManifestMeta } from "./manifest.ts";
import type { Partitioning, Place } from "./partitioning.ts";
import type { PaimonSchema } from "./schema.ts";
import type { Snapshot } from "./snapshot.ts";

/** A data file that belongs to the snapshot. */
export interface LiveFile {
  readonly identity: string;
  readonly name: string;
  readonly place: Place;
  readonly schemaId: number;
  /** 0: as a writer left it, 1 and above: one sorted run of files whose key ranges do not meet. */
  readonly level: number;
  readonly bytes: bigint;
  readonly rows: bigint;
  readonly deletedRows: bigint;
  /** Serialized BinaryRows. */
  readonly minKey: Uint8Array;
  readonly maxKey: Uint8Array;
  readonly minSequenceNumber: bigint;
  readonly maxSequenceNumber: bigint;
  /** Where it stands, if not in the table's folder: a mirror names the files of its primary. */
  readonly externalUri?: string;
  readonly deleted?: DeletedInFile;
}

/** Rows of a file that are deleted without a merge: in tables without a key. */
export interface DeletedInFile {
  readonly positions: PositionBitmap;
  /** Snapshot since which at least these are. */
  readonly since: bigint;
}

/** A Paimon table at one snapshot. */
export interface PaimonState extends TableState {
  /**
   * Physical rows of all files (`totalRecordCount`): an updated or deleted row counts once for each version that waits
   * for compaction. The rows a reader sees are those of a scan.
   */
  readonly rows: bigint;
  readonly schema: PaimonSchema;
  /** Every schema that a live file was written with, by id. */
  readonly schemas: ReadonlyMap<number, PaimonSchema>;
  /** Schemas written but not committed: what a stopped commit left behind. */
  readonly pendingSchemas: readonly PaimonSchema[];
  readonly snapshot?: Snapshot;
  /** All manifests of the snapshot. */
  readonly manifests: readonly ManifestMeta[];
  readonly files: readonly LiveFile[];
  /** Highest sequence number by {@linkcode Place.id}. */
  readonly sequenceNumbers: ReadonlyMap<string, bigint>;
  /** Of the newest commit of ours. */
  readonly commitIdentifier: bigint;
  /** Newest snapshot that says how far we have come: it must not expire. */
  readonly progressId?: bigint;
  /** Time of the last source commit recorded, epoch milliseconds. */
  readonly commitTimeMs?: number;
  readonly position?: Position;
  /** Of a mirror: the snapshot of its primary that it shows. */
  readonly mirroredSnapshotId?: bigint;
}

/** An entry as the state remembers it: statistics stay on disk. */
export function liveFile(entry: ManifestEntry, partitioning: Partitioning): LiveFile {
  const { _FILE: file } = entry;
  return {
    identity: entryIdentity(entry),
    name: file._FILE_NAME,
    place: partitioning.place(entry._PARTITION, entry._BUCKET),
    schemaId: Number(file._SCHEMA_ID),
    level: file._LEVEL,
    bytes: file._FILE_SIZE,
    rows: file._ROW_COUNT,
    deletedRows: file._DELETE_ROW_COUNT ?? file._ROW_COUNT,
    minKey: file._MIN_KEY,
    maxKey: file._MAX_KEY,
    minSequenceNumber: file._MIN_SEQUENCE_NUMBER,
    maxSequenceNumber: file._MAX_SEQUENCE_NUMBER,
    ...(file._EXTERNAL_PATH == null ? {} : { externalUri: file._EXTERNAL_PATH }),
  };
}

/** Files after some more were added and a commit's entries took others away, in whatever order readers learn of it. */
export function withEntries(
  files: readonly LiveFile[],
  { added, entries }: { readonly added: readonly LiveFile[]; readonly entries: readonly ManifestEntry[] },
): readonly LiveFile[] {
  const deleted = new Set(entries.filter((entry) => entry._KIND === entryKind.delete).map(entryIdentity));
  const all = [...files, ...added];
  return deleted.size === 0 ? all : all.filter((file) => !deleted.has(file.identity));
}

/** Highest sequence numbers once files are added; a truncate does not take them back. */
export function raiseSequenceNumbers(
  numbers: ReadonlyMap<string, bigint>,
  files: readonly Pick<LiveFile, "place" | "maxSequenceNumber">[],
): ReadonlyMap<string, bigint> {
  const raised = new Map(numbers);
  for (const { place: { id }, maxSequenceNumber } of files) {
    const known = raised.get(id);
    if (known === undefined || maxSequenceNumber > known) raised.set(id, maxSequenceNumber);
  }
  return raised;
}
