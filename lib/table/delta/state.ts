/**
 * One version of a table, decoded: what is live, and which rows of it are deleted.
 *
 * Promise: plain data that never changes; the next state shares with this one whatever a commit did not touch.
 */
import { parsePosition, type Position } from "../../change/position.ts";
import { isPartitionType } from "../../dataset/partition_columns.ts";
import type { PositionBitmap } from "../deleted_rows/position_bitmap.ts";
import type { TableState } from "../lake_table.ts";
import { mirrorOfProperty } from "../published_table.ts";
import type { AddFile, CommitInfo, Metadata, Protocol, Transaction } from "./actions.ts";
import type { CheckpointFiles } from "./log_file.ts";
import { ownNames, propertyNames } from "./properties.ts";
import { columnsOf, columnType, type DeltaField, parseSchema, physicalName, type TableShape } from "./schema.ts";

/** A live data file. */
export interface LiveFile {
  readonly add: AddFile;
  /** Rows in the file, deleted ones too. */
  readonly rows: bigint;
  readonly deleted?: DeletedInFile;
}

/** Rows of a file that are deleted. */
export interface DeletedInFile {
  readonly positions: PositionBitmap;
  /** Version since which at least these are; what a checkpoint tells of counts from its version. */
  readonly since: number;
}

/** One version of a Delta table. */
export interface DeltaState extends TableState {
  readonly version: number;
  readonly protocol: Protocol;
  readonly metadata: Metadata;
  readonly fields: readonly DeltaField[];
  /** Columns that rows are partitioned by, by physical name, in partition order. */
  readonly partition: readonly string[];
  /** Key columns by physical name, in key order. */
  readonly physicalKey: readonly string[];
  /** By path as the log spells it. */
  readonly files: ReadonlyMap<string, LiveFile>;
  readonly transactions: ReadonlyMap<string, Transaction>;
  /** Of a mirror: the snapshot of its primary that it shows. */
  readonly mirroredSnapshotId?: bigint;
  /** The newest checkpoint that was seen. */
  readonly checkpoint?: CheckpointFiles;
}

/** What one of our commits records. */
export interface Recorded {
  readonly position?: Position;
  readonly mirroredSnapshotId?: bigint;
}

/** The parts of a state that everything else follows from. */
export type StateParts =
  & Pick<DeltaState, "version" | "protocol" | "metadata" | "files" | "transactions" | "checkpoint">
  & Recorded;

/** A state with what {@linkcode TableState} says derived from its parts. Throws `RangeError` for a schema not of ours. */
export function stateOf(parts: StateParts): DeltaState {
  const fields = parseSchema(parts.metadata.schemaString);
  const physicalKey = keyOf(parts.metadata);
  const nameOf = new Map(fields.map((field) => [physicalName(field), field.name]));
  return {
    ...parts,
    fields,
    partition: partitionOf(parts.metadata, fields),
    physicalKey,
    rows: [...parts.files.values()].reduce((sum, file) => sum + liveRows(file), 0n),
    columns: columnsOf(fields, physicalKey),
    key: physicalKey.flatMap((name) => nameOf.get(name) ?? []),
    snapshotId: BigInt(parts.version),
    fixedPartition: parts.metadata.partitionColumns,
    ...(isMirror(parts) ? { mirrorOf: parts.metadata.configuration[mirrorOfProperty]! } : {}),
  };
}

/** Columns and properties of a state. */
export function shapeOf(
  { fields, partition, metadata }: Pick<DeltaState, "fields" | "partition" | "metadata">,
): TableShape {
  return { tableId: metadata.id, fields, partition, configuration: metadata.configuration };
}

function partitionOf({ partitionColumns }: Metadata, fields: readonly DeltaField[]): readonly string[] {
  return partitionColumns.map((name) => {
    const field = fields.find((each) => each.name === name);
    if (field !== undefined && isPartitionType(columnType(field.type))) return physicalName(field);
    throw new RangeError(
      `another writer partitioned it by ${name}, a column that is missing or whose values have no text`,
    );
  });
}

/** Whether rows leave the table by deletion vectors. */
export function usesVectors({ metadata }: Pick<DeltaState, "metadata">): boolean {
  return metadata.configuration[propertyNames.deletionVectors] === "true";
}

/** Whether the rows stand in the files of another table. */
export function isMirror({ metadata }: Pick<DeltaState, "metadata">): boolean {
  return metadata.configuration[mirrorOfProperty] !== undefined;
}

/** Rows of a file that are not deleted. */
export function liveRows({ rows, deleted }: LiveFile): bigint {
  return rows - BigInt(deleted?.positions.count ?? 0);
}

function keyOf({ configuration }: Metadata): readonly string[] {
  const text = configuration[ownNames.key];
  if (text === undefined) return [];
  const names: unknown = JSON.parse(text);
  if (!Array.isArray(names)) throw new RangeError("its key is no list");
  return names.map(String);
}

/** What one of our commits recorded; no position where it took it away. */
export function recordedIn(info: CommitInfo | undefined): Recorded {
  const { [ownNames.position]: position, [ownNames.mirroredSnapshot]: mirrored } = info ?? {};
  return {
    ...(typeof position === "string" ? { position: parsePosition(position) } : {}),
    ...(typeof mirrored === "string" ? { mirroredSnapshotId: BigInt(mirrored) } : {}),
  };
}

/** What a state records, for the next one that says nothing else. */
export function recordedOf({ position, mirroredSnapshotId }: Recorded): Recorded {
  return {
    ...(position === undefined ? {} : { position }),
    ...(mirroredSnapshotId === undefined ? {} : { mirroredSnapshotId }),
  };
}
