/** Takes old snapshots, branches and tags out of a table's metadata. */
import type { UpkeepPolicy } from "../upkeep.ts";
import type { TableMetadata } from "./metadata.ts";
import { statisticsFiles } from "./reachable_files.ts";
import { ownProperties } from "./properties.ts";
import { ancestry, type Retained, retained } from "./retention.ts";
import { type IcebergStaged, stageMetadata, type StagePlace } from "./stage_commit.ts";
import type { IcebergState } from "./state.ts";
import { type SnapshotFiles, unneededFiles } from "./unneeded_files.ts";

/** An expiry that is not committed yet. */
export interface StagedExpiry {
  readonly snapshots: number;
  readonly unneeded: readonly string[];
  readonly kept: ReadonlySet<bigint>;
  readonly staged: IcebergStaged;
}

/** Stages an expiry; undefined where nothing is old enough, or where the table forbids it (`gc.enabled`). */
export async function stageExpiry(
  place: StagePlace,
  state: IcebergState,
  options: {
    readonly policy: UpkeepPolicy;
    readonly nowMs: number;
    readonly keepFrom?: bigint | null | undefined;
    readonly known: SnapshotFiles;
  },
): Promise<StagedExpiry | undefined> {
  const { metadata } = state;
  const stays = withAllFrom(metadata, retained(metadata, options.policy, options.nowMs), options.keepFrom ?? undefined);
  const snapshots = metadata.snapshots.length - stays.snapshots.size;
  const refs = Object.keys(metadata.refs ?? {}).length - Object.keys(stays.refs).length;
  if (snapshots + refs === 0 || isForbidden(metadata, options.keepFrom)) return undefined;
  const unneeded = snapshots === 0
    ? []
    : await unneededFiles(place.storage, { metadata, kept: stays.snapshots, known: options.known });
  const statistics = [...statisticsFiles(metadata)].filter(([{ "snapshot-id": id }]) => !stays.snapshots.has(id));
  return {
    snapshots,
    unneeded: [...unneeded, ...statistics.map(([, uri]) => place.storage.path(uri))],
    kept: stays.snapshots,
    staged: stageMetadata(place, state, (next) => withOnly(next, stays)),
  };
}

/** Other makers' tools are kept from removing files that mirrors show; we know of the mirrors. */
function isForbidden({ properties }: TableMetadata, keepFrom: bigint | null | undefined): boolean {
  const isMirrored = properties[ownProperties.mirroredAs] !== undefined;
  return isMirrored ? keepFrom === undefined : properties["gc.enabled"] === "false";
}

/** A snapshot that somebody else shows stays, with all after it. */
function withAllFrom(metadata: TableMetadata, stays: Retained, id: bigint | undefined): Retained {
  const byId = new Map(metadata.snapshots.map((snapshot) => [snapshot["snapshot-id"], snapshot]));
  if (id === undefined || !byId.has(id)) return stays;
  const snapshots = new Set(stays.snapshots);
  for (const snapshot of ancestry(byId, metadata["current-snapshot-id"])) {
    snapshots.add(snapshot["snapshot-id"]);
    if (snapshot["snapshot-id"] === id) return { ...stays, snapshots };
  }
  // Of no ancestry of the newest: it was rolled back.
  return { ...stays, snapshots: new Set([...stays.snapshots, id]) };
}

function withOnly(metadata: TableMetadata, { snapshots: kept, refs }: Retained): TableMetadata {
  const isKept = (entry: { readonly "snapshot-id": bigint }) => kept.has(entry["snapshot-id"]);
  const log = metadata["snapshot-log"];
  // An entry before one that left would make the history look complete (Iceberg spec, snapshot-log).
  const cut = log.findLastIndex((entry) => !isKept(entry));
  return {
    ...metadata,
    snapshots: metadata.snapshots.filter(isKept),
    refs,
    "snapshot-log": log.slice(cut + 1),
    ...(metadata.statistics === undefined ? {} : { statistics: metadata.statistics.filter(isKept) }),
    ...(metadata["partition-statistics"] === undefined
      ? {}
      : { "partition-statistics": metadata["partition-statistics"].filter(isKept) }),
  };
}
