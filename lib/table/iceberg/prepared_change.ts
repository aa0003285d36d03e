/** The files of a change against one state, ready to be staged: plain data. */
import type { Position } from "../../change/position.ts";
import type { Layout } from "./layout.ts";
import type { FileRecord } from "./manifest.ts";
import type { PositionBitmap } from "../deleted_rows/position_bitmap.ts";
import { ownProperties } from "./properties.ts";
import type { IcebergSchema } from "./schema.ts";
import type { IcebergState, LiveFile } from "./state.ts";

/** New deletes of one data file, replacing `replaces`. */
export interface PreparedDeletes {
  readonly target: LiveFile;
  readonly file: FileRecord;
  readonly positions: PositionBitmap;
}

/** Files merged into one: the living rows of the inputs, in their order, as they stood then. */
export interface PreparedMerge {
  readonly inputs: readonly LiveFile[];
  /** Sequence number of the state whose rows were read. */
  readonly sequenceNumber: bigint;
  /** Where the rows, in the inputs' order, stand in a merged file that is sorted. Absent: as they come. */
  readonly places?: Uint32Array;
  /** Deletes of the merged file: rows that were deleted while it was written. */
  readonly deletes?: Omit<PreparedDeletes, "target">;
}

/** A file's rows that stay, written anew as another file. */
export interface RetypedFile {
  /** Partition spec of both. */
  readonly specId: number;
  readonly file: FileRecord;
}

/** A change whose files are written. */
export interface IcebergPrepared {
  /** Chosen before anything is written and kept through every attempt. */
  readonly snapshotId: bigint;
  readonly schema: IcebergSchema;
  readonly lastColumnId: number;
  /** Schema id of the state the files were written against. */
  readonly baseSchemaId: number;
  readonly truncate: boolean;
  /** Partition spec of the data files. */
  readonly specId: number;
  /** Of the table from now on. Absent: as it is. */
  readonly layout?: Layout;
  readonly dataFiles: readonly FileRecord[];
  readonly deletes: readonly PreparedDeletes[];
  /** Data files all of whose rows are deleted, or stand in another file now. */
  readonly removed: readonly LiveFile[];
  /** Present where every file now has the schema's types: what the removed ones were written anew as. */
  readonly retyped?: readonly RetypedFile[];
  /** Present where `dataFiles` is a merged file instead of new rows. */
  readonly merge?: PreparedMerge;
  /** Present where small manifests are to become few, whatever their number, and nothing else changes. */
  readonly mergesManifests?: true;
  /** Data files that were live when keys were looked up; undefined where none were looked up. */
  readonly searched?: ReadonlySet<string>;
  /** Undefined takes the recorded position away. */
  readonly position: Position | undefined;
  /** Where the change begins (`TableChange.after`). */
  readonly after?: Position;
  /** Absent where progress alone is recorded. */
  readonly commitTimeMs?: number;
  /** Everything written, below the storage root. */
  readonly paths: readonly string[];
}

/** What a commit that changes no rows carries forward. */
export function progressOf({ position, metadata }: IcebergState): Pick<IcebergPrepared, "position" | "commitTimeMs"> {
  const commitTimeMs = metadata.properties[ownProperties.commitTimeMs];
  return { position, ...(commitTimeMs === undefined ? {} : { commitTimeMs: Number(commitTimeMs) }) };
}

/** A random positive 63-bit id (Iceberg spec: "a unique long ID"). */
export function newSnapshotId(): bigint {
  const [random] = crypto.getRandomValues(new BigUint64Array(1));
  return random! >> 1n;
}
