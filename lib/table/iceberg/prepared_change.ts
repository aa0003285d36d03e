/** The files of a change against one state, ready to be staged: plain data. */
import type { Position } from "../../change/position.ts";
import type { FileRecord } from "./manifest.ts";
import type { PositionBitmap } from "../deleted_rows/position_bitmap.ts";
import type { IcebergSchema } from "./schema.ts";
import type { LiveFile } from "./state.ts";

/** New deletes of one data file, replacing `replaces`. */
export interface PreparedDeletes {
  readonly target: LiveFile;
  readonly file: FileRecord;
  readonly positions: PositionBitmap;
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
  readonly dataFiles: readonly FileRecord[];
  readonly deletes: readonly PreparedDeletes[];
  /** Data files all of whose rows are deleted. */
  readonly removed: readonly LiveFile[];
  /** Data files that were live when keys were looked up; undefined where none were looked up. */
  readonly searched?: ReadonlySet<string>;
  /** Undefined takes the recorded position away. */
  readonly position: Position | undefined;
  readonly commitTimeMs?: number;
  /** Everything written, below the storage root. */
  readonly paths: readonly string[];
}

/** A random positive 63-bit id (Iceberg spec: "a unique long ID"). */
export function newSnapshotId(): bigint {
  const [random] = crypto.getRandomValues(new BigUint64Array(1));
  return random! >> 1n;
}
