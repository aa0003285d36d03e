/** Takes old snapshots, branches and tags out of a table's metadata. */
import type { UpkeepPolicy } from "../upkeep.ts";
import type { TableMetadata } from "./metadata.ts";
import { statisticsFiles } from "./reachable_files.ts";
import { type Retained, retained } from "./retention.ts";
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
  options: { readonly policy: UpkeepPolicy; readonly nowMs: number; readonly known: SnapshotFiles },
): Promise<StagedExpiry | undefined> {
  const { metadata } = state;
  const stays = retained(metadata, options.policy, options.nowMs);
  const snapshots = metadata.snapshots.length - stays.snapshots.size;
  const refs = Object.keys(metadata.refs ?? {}).length - Object.keys(stays.refs).length;
  if (snapshots + refs === 0 || metadata.properties["gc.enabled"] === "false") return undefined;
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
