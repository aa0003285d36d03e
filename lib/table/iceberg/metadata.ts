/** Table metadata JSON (Iceberg spec, "Table Metadata"): what one version of a table says of itself. */
import { WeirError } from "../../errors.ts";
import { parseJson, stringifyJson } from "../lossless_json.ts";
import type { IcebergSchema } from "./schema.ts";
import type { SortOrder } from "./sort_order.ts";

/** One field of a partition spec; only `identity` and `day` are written. */
export interface PartitionField {
  readonly "source-id": number;
  readonly "field-id": number;
  readonly name: string;
  readonly transform: string;
}

/** A partition spec. */
export interface PartitionSpec {
  readonly "spec-id": number;
  readonly fields: readonly PartitionField[];
}

/** A snapshot as metadata lists it. */
export interface Snapshot {
  readonly "snapshot-id": bigint;
  readonly "parent-snapshot-id"?: bigint;
  readonly "sequence-number": bigint;
  readonly "timestamp-ms": number;
  readonly "manifest-list": string;
  readonly "schema-id"?: number;
  readonly summary: Readonly<Record<string, string>>;
  readonly "first-row-id"?: bigint;
  readonly "added-rows"?: bigint;
}

/** A branch or a tag; a tag has no history of its own. */
export interface SnapshotRef {
  readonly type: "branch" | "tag";
  readonly "snapshot-id": bigint;
  /** The ref leaves once its snapshot is so old. */
  readonly "max-ref-age-ms"?: number;
  /** Branches only: how long their snapshots are kept, */
  readonly "max-snapshot-age-ms"?: number;
  /** and at least so many of them. */
  readonly "min-snapshots-to-keep"?: number;
}

/** A statistics file of another writer. */
export interface SnapshotStatistics {
  readonly "snapshot-id": bigint;
  readonly "statistics-path": string;
}

/** One version of a table. Fields that this code does not use are kept as they were read. */
export interface TableMetadata {
  readonly "format-version": 2 | 3;
  readonly "table-uuid": string;
  readonly location: string;
  readonly "last-sequence-number": bigint;
  readonly "last-updated-ms": number;
  readonly "last-column-id": number;
  readonly schemas: readonly IcebergSchema[];
  readonly "current-schema-id": number;
  readonly "partition-specs": readonly PartitionSpec[];
  readonly "default-spec-id": number;
  readonly "last-partition-id": number;
  readonly "sort-orders": readonly SortOrder[];
  readonly "default-sort-order-id": number;
  readonly properties: Readonly<Record<string, string>>;
  readonly "current-snapshot-id"?: bigint;
  /** Version 3 only. */
  readonly "next-row-id"?: bigint;
  readonly snapshots: readonly Snapshot[];
  readonly refs?: Readonly<Record<string, SnapshotRef>>;
  readonly "snapshot-log": readonly { readonly "timestamp-ms": number; readonly "snapshot-id": bigint }[];
  readonly "metadata-log": readonly { readonly "timestamp-ms": number; readonly "metadata-file": string }[];
  readonly statistics?: readonly SnapshotStatistics[];
  readonly "partition-statistics"?: readonly SnapshotStatistics[];
}

type Json = Record<string, unknown>;

/**
 * Reads metadata JSON. 64-bit fields become bigint however small they are.
 *
 * @throws {WeirError} `tableUnreadable` naming the file where it is damaged or of a version this code cannot write.
 */
export function parseMetadata(text: string, path: string): TableMetadata {
  return complete(() => parseJson(text), path);
}

/** As {@linkcode parseMetadata}, of JSON that {@linkcode parseJson} has read; `path` is for messages. */
export function metadataOf(json: unknown, path: string): TableMetadata {
  return complete(() => json, path);
}

function complete(read: () => unknown, path: string): TableMetadata {
  try {
    const json = read() as Json;
    const version = json["format-version"];
    if (version !== 2 && version !== 3) throw new RangeError(`format version ${String(version)} is not supported`);
    return withBigints(json);
  } catch (thrown) {
    const reason = thrown instanceof RangeError ? thrown.message : "it is not complete table metadata";
    throw new WeirError("tableUnreadable", `Cannot read ${path}: ${reason}`, { cause: thrown, detail: { path } });
  }
}

function withBigints(json: Json): TableMetadata {
  const current = json["current-snapshot-id"];
  // Writers of version 1 and 2 also put -1 where there is no snapshot.
  const hasCurrent = current !== undefined && current !== null && BigInt(current as number) >= 0n;
  const { "current-snapshot-id": _, ...rest } = json;
  const metadata = {
    ...rest,
    "last-sequence-number": BigInt(json["last-sequence-number"] as number),
    properties: (json.properties ?? {}) as Record<string, string>,
    snapshots: ((json.snapshots ?? []) as Json[]).map(snapshotOf),
    refs: refsOf(json),
    ...Object.fromEntries(["snapshot-log", "statistics", "partition-statistics"].map((list) => {
      return [list, ((json[list] ?? []) as Json[]).map((entry) => bigints(entry, ["snapshot-id"]))];
    })),
    "metadata-log": (json["metadata-log"] ?? []) as TableMetadata["metadata-log"],
    ...(json["next-row-id"] === undefined ? {} : { "next-row-id": BigInt(json["next-row-id"] as number) }),
    ...(hasCurrent ? { "current-snapshot-id": BigInt(current as number) } : {}),
  } as unknown as TableMetadata;
  for (const field of ["table-uuid", "location", "schemas", "partition-specs"] as const) {
    if (metadata[field] === undefined) throw new RangeError(`${field} is missing`);
  }
  currentSchema(metadata);
  if (hasCurrent && currentSnapshot(metadata) === undefined) throw new RangeError("the current snapshot is missing");
  return metadata;
}

/** Writers of version 1 leave `main` out: it is the current snapshot. */
function refsOf(json: Json): TableMetadata["refs"] {
  const current = json["current-snapshot-id"] as bigint | undefined;
  const main = current === undefined || current === null || current < 0
    ? {}
    : { main: { type: "branch", "snapshot-id": current } };
  const refs = { ...main, ...json.refs as Record<string, Json> | undefined };
  return Object.fromEntries(
    Object.entries(refs).map(([name, ref]) => [name, bigints(ref, ["snapshot-id"])]),
  ) as unknown as Record<string, SnapshotRef>;
}

function snapshotOf(json: Json): Snapshot {
  const fields = ["snapshot-id", "parent-snapshot-id", "sequence-number", "first-row-id", "added-rows"];
  return bigints({ ...json, summary: json.summary ?? {} }, fields) as unknown as Snapshot;
}

function bigints<T extends Json>(json: T, fields: readonly string[]): T & { "snapshot-id": bigint } {
  const copy: Json = { ...json };
  for (const field of fields) {
    // Some catalogs write null for what is not there.
    if (copy[field] === null) delete copy[field];
    else if (copy[field] !== undefined) copy[field] = BigInt(copy[field] as number);
  }
  return copy as T & { "snapshot-id": bigint };
}

/** Text of history entries, which never change: a commit a second would write the same thousands of them again and again. */
const entryTexts = new WeakMap<object, string>();

/** What {@linkcode parseMetadata} reads. */
export function formatMetadata({ snapshots, "snapshot-log": log, ...rest }: TableMetadata): string {
  return `${stringifyJson(rest).slice(0, -1)},"snapshots":${listText(snapshots)},"snapshot-log":${listText(log)}}`;
}

function listText(entries: readonly object[]): string {
  const texts = entries.map((entry) => {
    const text = entryTexts.get(entry) ?? stringifyJson(entry);
    entryTexts.set(entry, text);
    return text;
  });
  return `[${texts.join(",")}]`;
}

/** The schema that rows are written with. Throws `RangeError` where the metadata lacks it. */
export function currentSchema(metadata: TableMetadata): IcebergSchema {
  const found = metadata.schemas.find((schema) => schema["schema-id"] === metadata["current-schema-id"]);
  if (found === undefined) throw new RangeError("the current schema is missing");
  return found;
}

/** The partition spec that files are written with. Throws `RangeError` where the metadata lacks it. */
export function currentSpec(metadata: TableMetadata): PartitionSpec {
  return specOf(metadata, metadata["default-spec-id"]);
}

/** A partition spec. Throws `RangeError` where the metadata lacks it. */
export function specOf(metadata: TableMetadata, id: number): PartitionSpec {
  const found = metadata["partition-specs"].find((spec) => spec["spec-id"] === id);
  if (found === undefined) throw new RangeError(`partition spec ${id} is missing`);
  return found;
}

/** The newest snapshot of the main branch; undefined before the first. */
export function currentSnapshot(metadata: TableMetadata): Snapshot | undefined {
  const id = metadata["current-snapshot-id"];
  return id === undefined ? undefined : metadata.snapshots.find((snapshot) => snapshot["snapshot-id"] === id);
}
