/**
 * One version of a table, decoded: what is live, and which rows of it are deleted.
 *
 * Promise: plain data that never changes; the next state shares with this one whatever a commit did not touch.
 */
import type { Column } from "../../dataset/column.ts";
import type { TableState } from "../lake_table.ts";
import { stringifyJson } from "../lossless_json.ts";
import type { ManifestContext, ManifestEntry } from "./manifest.ts";
import type { ManifestFile } from "./manifest_list.ts";
import { currentSchema, currentSnapshot, specOf, type TableMetadata } from "./metadata.ts";
import { parsePosition } from "../../change/position.ts";
import type { PositionBitmap } from "../deleted_rows/position_bitmap.ts";
import { ownProperties } from "./properties.ts";
import { columnsOf, type IcebergField } from "./schema.ts";

/** The delete file or deletion vector of one data file. */
export interface LiveDeletes {
  readonly entry: ManifestEntry;
  /** Path of the manifest it stands in, as the manifest list spells it. */
  readonly manifest: string;
  readonly positions: PositionBitmap;
}

/** A live data file. */
export interface LiveFile {
  readonly entry: ManifestEntry;
  readonly manifest: string;
  readonly deletes?: LiveDeletes;
}

/** One version of an Iceberg table. */
export interface IcebergState extends TableState {
  /** N of `v<N>.metadata.json`; with a catalog service, how many versions this process has seen. */
  readonly version: number;
  readonly metadata: TableMetadata;
  readonly manifests: readonly ManifestFile[];
  /** By URI, in the order their manifests list them. */
  readonly files: ReadonlyMap<string, LiveFile>;
}

/** The parts of a state that everything else follows from. */
export type StateParts = Pick<IcebergState, "version" | "metadata" | "manifests" | "files">;

/** A state with what {@linkcode TableState} says derived from its parts. */
export function stateOf(parts: StateParts, rows: bigint): IcebergState {
  const snapshot = currentSnapshot(parts.metadata);
  const position = parts.metadata.properties[ownProperties.position];
  return {
    ...parts,
    rows,
    columns: columnsOf(currentSchema(parts.metadata)) as readonly Column[],
    key: keyFields(parts.metadata).map(({ name }) => name),
    ...(snapshot === undefined ? {} : { snapshotId: snapshot["snapshot-id"] }),
    ...(position === undefined ? {} : { position: parsePosition(position) }),
  };
}

/** Rows that a scan would give. */
export function countRows(files: Iterable<LiveFile>): bigint {
  let rows = 0n;
  for (const { entry, deletes } of files) rows += entry.file.record_count - BigInt(deletes?.positions.count ?? 0);
  return rows;
}

/** What files must share to be merged: the same for two files exactly where they are of one partition. */
export function partitionOf({ entry }: LiveFile): string {
  return `${entry.specId} ${stringifyJson(entry.file.partition)}`;
}

/** Key columns in key order. */
export function keyFields(metadata: TableMetadata): IcebergField[] {
  const schema = currentSchema(metadata);
  const ids = metadata.properties[ownProperties.keyFieldIds]?.split(",").filter((id) => id !== "").map(Number) ??
    schema["identifier-field-ids"] ?? [];
  return ids.flatMap((id) => schema.fields.filter((field) => field.id === id));
}

/** What a manifest of a partition spec carries, written against a version. */
export function manifestContext(metadata: TableMetadata, specId: number): ManifestContext {
  return { formatVersion: metadata["format-version"], schema: currentSchema(metadata), spec: specOf(metadata, specId) };
}
