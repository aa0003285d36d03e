/**
 * A snapshot as another format publishes it, over the very files it stands in.
 *
 * Promise: plain facts of a format's own metadata; files keep their paths, and what is said of one is true of its bytes.
 */
import type { Position } from "../change/position.ts";
import type { CommitResult } from "../change/sink.ts";
import type { Column } from "../dataset/column.ts";
import type { ColumnType } from "../dataset/column_type.ts";
import { WeirError } from "../errors.ts";
import type { PositionBitmap } from "./deleted_rows/position_bitmap.ts";
import type { LakeTable } from "./lake_table.ts";
import type { ColumnBounds } from "./row_lookup.ts";
import type { Expiry, ExpiryOptions, UpkeepPolicy } from "./upkeep.ts";

/** A column of the snapshot. */
export interface PublishedColumn extends Pick<Column, "name" | "type" | "nullable" | "doc"> {
  /** For life, as it stands in the files. */
  readonly id: number;
  /** Its name in the files, which is for life too. */
  readonly fileName: string;
}

/** What is known of a column in one file. */
export interface ColumnFacts extends ColumnBounds {
  readonly nulls?: bigint;
  /** Float columns: whether it is certain that no value is NaN. */
  readonly hasNoNan: boolean;
}

/** A live data file. */
export interface PublishedFile {
  /** Absolute, as table metadata spells it. */
  readonly uri: string;
  readonly bytes: bigint;
  /** Deleted ones too. */
  readonly rows: bigint;
  readonly deleted?: PositionBitmap;
  facts(columnId: number): ColumnFacts;
}

/** A column as it stands in a file. */
export interface ColumnInFile {
  readonly name: string;
  readonly type: ColumnType;
}

/** What a table showed at one snapshot. */
export interface PublishedSnapshot {
  /** Of the table that is published; undefined before its first. */
  readonly snapshotId?: bigint;
  readonly columns: readonly PublishedColumn[];
  /** Highest id that any column or part of one ever had. */
  readonly highestColumnId: number;
  /** Names of key columns, in key order. */
  readonly key: readonly string[];
  /** By URI. */
  readonly files: ReadonlyMap<string, PublishedFile>;
  readonly position?: Position;
  readonly commitTimeMs?: number;
  /** Up to here an earlier snapshot still showed the table; undefined where nobody knows. */
  after(snapshotId: bigint | undefined): Position | undefined;
  /**
   * Columns as they stand in new files, by field id. Undefined: as `columns` says, because no column was ever called or typed
   * otherwise.
   */
  inFiles(
    files: readonly PublishedFile[],
  ): Promise<ReadonlyMap<PublishedFile, ReadonlyMap<number, ColumnInFile>> | undefined>;
}

/** Which snapshot of its primary a mirror shows. */
export interface MirroredPoint {
  readonly snapshotId?: bigint;
  readonly position?: Position;
}

/** A table that shows another one's rows, in its own format, out of the other one's files. It never changes or removes them. */
export interface MirrorTable {
  readonly format: LakeTable["format"];
  readonly location: string;
  /** Undefined where there is no table yet. Throws `precondition` where one stands there that is no mirror of this one. */
  load(): Promise<MirroredPoint | undefined>;
  /**
   * Shows a snapshot: one commit that says which it is, and none where it is shown already. What other writers did to the mirror
   * is undone by it.
   *
   * @throws {WeirError} `unsupportedSchemaChange` or `configuration` for what the format cannot hold.
   */
  publish(snapshot: PublishedSnapshot): Promise<CommitResult>;
  /** Primary snapshots that versions show which somebody may still read, the oldest first. */
  shown(policy: UpkeepPolicy, nowMs: number): Promise<readonly bigint[]>;
  /** Takes old versions out of the mirror. Files to be removed are its own alone. */
  expire(policy: UpkeepPolicy, options: ExpiryOptions): Promise<Expiry>;
  /** Every file that a version refers to which somebody may still read, the primary's too: paths below the storage root. */
  referenced(): Promise<ReadonlySet<string>>;
}

/** Table property that names what a table mirrors. */
export const mirrorOfProperty = "weir.mirror-of";

/** The error of a write to a mirror: its rows are those of another table, which alone is written. */
export function mirrorNotWritten(
  { format, namespace, name }: Pick<LakeTable, "format" | "namespace" | "name">,
  folder: string,
): WeirError {
  const table = `${namespace}.${name}`;
  return new WeirError("precondition", `Cannot write to ${table}: it is a mirror of an Iceberg table`, {
    detail: { table, path: folder },
    advice: `Give --mirror ${format} instead of the format, use another --lake, or remove the mirror's folder`,
  });
}
