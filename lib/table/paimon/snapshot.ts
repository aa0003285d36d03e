/** A table's snapshot file `snapshot/snapshot-<id>` (Paimon `Snapshot`), version 3. */
import { formatPosition, parsePosition, type Position } from "../../change/position.ts";
import { parseJson, stringifyJson } from "../lossless_json.ts";

/** What a commit did: `APPEND` adds files only; any that removes rows' files by hand is `OVERWRITE`. */
export type CommitKind = "APPEND" | "COMPACT" | "OVERWRITE" | "ANALYZE";

/** One committed version. */
export interface Snapshot {
  readonly id: bigint;
  readonly schemaId: number;
  readonly baseManifestList: string;
  readonly deltaManifestList: string;
  readonly commitUser: string;
  readonly commitIdentifier: bigint;
  readonly commitKind: CommitKind;
  readonly timeMillis: number;
  readonly totalRecordCount: bigint;
  readonly deltaRecordCount: bigint;
  readonly properties: Readonly<Record<string, string>>;
  /** Keys that a commit which does not touch them hands on, as they stand: an index, a watermark, row ids. */
  readonly carried: Readonly<Record<string, unknown>>;
}

const carriedKeys = ["indexManifest", "watermark", "nextRowId"] as const;
const positionKey = "weir.position";
const afterKey = "weir.after";
const commitTimeKey = "weir.commit-time-ms";
const commitUuidKey = "weir.commit-uuid";
const mirroredKey = "weir.mirrored-snapshot";
const writerKey = "weir.writer";
const writerIdentifierKey = "weir.writer-identifier";

/** How far a writer has come. */
export interface WriterProgress {
  /** Its commit user. */
  readonly user: string;
  readonly identifier: bigint;
}

/** Our own book-keeping inside a snapshot. */
export interface CommitProperties {
  /** Tells a commit from every other, so that an uncertain one can be looked up. */
  readonly uuid: string;
  readonly position?: Position;
  /** Up to here the snapshot before it still showed the table (`TableChange.after`). */
  readonly after?: Position;
  /** Time of the last source commit, epoch milliseconds. */
  readonly commitTimeMs?: number;
  /** In a mirror: which snapshot of its primary it shows. */
  readonly mirroredSnapshotId?: bigint;
  /** In a commit of the upkeep: the writer's progress is carried on, so that the writer's own snapshots may expire. */
  readonly writer?: WriterProgress;
}

/** The properties as the snapshot holds them. */
export function encodeProperties(properties: CommitProperties): Record<string, string> {
  const { uuid, position, after, commitTimeMs, mirroredSnapshotId, writer } = properties;
  return {
    [commitUuidKey]: uuid,
    ...(writer && { [writerKey]: writer.user, [writerIdentifierKey]: String(writer.identifier) }),
    ...(position === undefined ? {} : { [positionKey]: formatPosition(position) }),
    ...(after === undefined ? {} : { [afterKey]: formatPosition(after) }),
    ...(commitTimeMs === undefined ? {} : { [commitTimeKey]: String(commitTimeMs) }),
    ...(mirroredSnapshotId === undefined ? {} : { [mirroredKey]: String(mirroredSnapshotId) }),
  };
}

/** Reads what {@linkcode encodeProperties} wrote; undefined for a snapshot that is not ours. */
export function decodeProperties({ properties }: Snapshot): CommitProperties | undefined {
  const uuid = properties[commitUuidKey];
  if (uuid === undefined) return undefined;
  const position = properties[positionKey];
  const after = properties[afterKey];
  const commitTime = properties[commitTimeKey];
  const mirrored = properties[mirroredKey];
  const user = properties[writerKey];
  return {
    uuid,
    ...(user === undefined ? {} : { writer: { user, identifier: BigInt(properties[writerIdentifierKey] ?? 0) } }),
    ...(position === undefined ? {} : { position: parsePosition(position) }),
    ...(after === undefined ? {} : { after: parsePosition(after) }),
    ...(commitTime === undefined ? {} : { commitTimeMs: Number(commitTime) }),
    ...(mirrored === undefined ? {} : { mirroredSnapshotId: BigInt(mirrored) }),
  };
}

/** The snapshot file's bytes. */
export function encodeSnapshot(
  snapshot: Snapshot & { readonly baseManifestListSize: number; readonly deltaManifestListSize: number },
): Uint8Array {
  const { carried, ...known } = snapshot;
  return new TextEncoder().encode(stringifyJson({ version: 3, ...known, ...carried }));
}

/**
 * Reads a snapshot file.
 *
 * @throws {SyntaxError | RangeError} If the bytes are no snapshot of version 3.
 */
export function decodeSnapshot(bytes: Uint8Array): Snapshot {
  const json = parseJson(new TextDecoder().decode(bytes)) as Record<string, unknown>;
  const { version, id, schemaId, baseManifestList, deltaManifestList, commitUser, commitKind, timeMillis } = json;
  if (version !== 3) throw new RangeError(`Cannot read the snapshot: its version is ${version}`);
  if (id === undefined || typeof baseManifestList !== "string" || typeof deltaManifestList !== "string") {
    throw new RangeError("Cannot read the snapshot: id or manifest lists are missing");
  }
  return {
    id: integer(id),
    schemaId: Number(schemaId),
    baseManifestList,
    deltaManifestList,
    commitUser: String(commitUser),
    commitIdentifier: integer(json.commitIdentifier),
    commitKind: commitKind as CommitKind,
    timeMillis: Number(timeMillis),
    totalRecordCount: integer(json.totalRecordCount),
    deltaRecordCount: integer(json.deltaRecordCount),
    properties: (json.properties ?? {}) as Record<string, string>,
    carried: Object.fromEntries(carriedKeys.filter((key) => json[key] != null).map((key) => [key, json[key]])),
  };
}

function integer(value: unknown): bigint {
  if (typeof value !== "number" && typeof value !== "bigint") {
    throw new RangeError("Cannot read the snapshot: a number is missing");
  }
  return BigInt(value);
}
