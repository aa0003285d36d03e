/**
 * Computes a mirror's commit: what came, what left, and which snapshot it shows.
 *
 * Promise: no I/O. The newest version's commit alone says which snapshot of the primary it shows.
 */
import { formatPosition } from "../../change/position.ts";
import type { PublishedFile, PublishedSnapshot } from "../published_table.ts";
import { type Action, type AddFile, type CommitInfo, formatActions, type VectorDescriptor } from "./actions.ts";
import { commitPath } from "./log_file.ts";
import { logPath, type PublishedDifference } from "./mirror_difference.ts";
import type { TableDescription } from "./prepared_change.ts";
import { checkpointInterval, ownNames } from "./properties.ts";
import { publishedStatistics } from "./published_statistics.ts";
import { type DeltaStaged, removalOf, sameJson } from "./stage_commit.ts";
import { type DeltaState, type LiveFile, recordedOf, stateOf } from "./state.ts";

/** Files as the log will name them. */
export interface FileDifference extends Omit<PublishedDifference, "added"> {
  readonly added: readonly LiveFile[];
}

/** New files beside their deletion vectors, in order. */
export function withVectors(
  difference: PublishedDifference,
  snapshot: PublishedSnapshot,
  descriptors: readonly VectorDescriptor[],
): FileDifference {
  let next = 0;
  const added = difference.added.map((file) => {
    const vector = file.deleted === undefined ? undefined : descriptors[next++];
    return liveFile(file, snapshot, vector);
  });
  return { ...difference, added };
}

function liveFile(file: PublishedFile, snapshot: PublishedSnapshot, vector: VectorDescriptor | undefined): LiveFile {
  const add: AddFile = {
    path: logPath(file.uri),
    partitionValues: {},
    size: Number(file.bytes),
    modificationTime: snapshot.commitTimeMs ?? Date.now(),
    dataChange: true,
    stats: publishedStatistics(file, snapshot),
    ...(vector === undefined ? {} : { deletionVector: vector }),
  };
  return {
    add,
    rows: file.rows,
    ...(file.deleted === undefined ? {} : { deleted: { positions: file.deleted, since: 0 } }),
  };
}

/** What a mirror becomes. */
export interface MirrorChange {
  readonly target: TableDescription;
  readonly snapshot: PublishedSnapshot;
  readonly difference: FileDifference;
}

/** Stages the commit; undefined where the mirror shows the snapshot already. */
export function stageMirror(folder: string, state: DeltaState, change: MirrorChange): DeltaStaged | undefined {
  const { snapshot, difference: { added, removed, kept }, target: { protocol, metadata } } = change;
  const isSameTable = sameJson(protocol, state.protocol) && sameJson(metadata, state.metadata);
  if (isSameTable && added.length + removed.length === 0 && isRecorded(state, snapshot)) return undefined;
  const [commitId, version, nowMs] = [crypto.randomUUID(), state.version + 1, Date.now()];
  const txn = { appId: ownNames.appId, version: BigInt(version), lastUpdated: nowMs };
  const isMerge = isSameRows(state, change);
  const actions: Action[] = [
    { commitInfo: commitInfo(state, change, { commitId, nowMs, isMerge }) },
    ...(sameJson(protocol, state.protocol) ? [] : [{ protocol }]),
    ...(sameJson(metadata, state.metadata) ? [] : [{ metaData: metadata }]),
    { txn },
    ...removed.map((file) => ({ remove: removalOf(file, { dataChange: !isMerge, nowMs }) })),
    ...added.map(({ add }) => ({ add: { ...add, dataChange: !isMerge } })),
  ];
  const files = new Map(kept);
  for (const file of added) files.set(file.add.path, markedSince(file, version));
  const next = stateOf({
    ...{ version, protocol, metadata, files },
    transactions: new Map(state.transactions).set(ownNames.appId, txn),
    ...recorded(snapshot),
    ...(state.checkpoint === undefined ? {} : { checkpoint: state.checkpoint }),
  });
  return {
    ...{ commitId, base: state.version, next, path: commitPath(folder, version) },
    bytes: new TextEncoder().encode(formatActions(actions)),
    isCheckpointDue: version % checkpointInterval(metadata) === 0,
  };
}

function recorded({ snapshotId, position }: PublishedSnapshot) {
  return recordedOf({
    ...(snapshotId === undefined ? {} : { mirroredSnapshotId: snapshotId }),
    ...(position === undefined ? {} : { position }),
  });
}

function isRecorded(state: DeltaState, snapshot: PublishedSnapshot): boolean {
  const text = (position: DeltaState["position"]) => position && formatPosition(position);
  return state.mirroredSnapshotId === snapshot.snapshotId && text(state.position) === text(snapshot.position);
}

function markedSince(file: LiveFile, version: number): LiveFile {
  return file.deleted === undefined ? file : { ...file, deleted: { ...file.deleted, since: version } };
}

/** Whether the primary says that no row changed since the snapshot shown: its files were merged. */
function isSameRows({ position, mirroredSnapshotId }: DeltaState, { snapshot }: MirrorChange): boolean {
  const after = snapshot.after(mirroredSnapshotId);
  return position !== undefined && after !== undefined && snapshot.position !== undefined &&
    formatPosition(after) === formatPosition(position) &&
    formatPosition(snapshot.position) === formatPosition(position);
}

interface Said {
  readonly commitId: string;
  readonly nowMs: number;
  readonly isMerge: boolean;
}

function commitInfo(state: DeltaState, { snapshot, difference }: MirrorChange, said: Said): CommitInfo {
  const { added, removed } = difference;
  const after = snapshot.after(state.mirroredSnapshotId);
  const { snapshotId, position, commitTimeMs } = snapshot;
  return {
    timestamp: said.nowMs,
    operation: said.isMerge ? "OPTIMIZE" : added.length + removed.length === 0 ? "STREAMING UPDATE" : "WRITE",
    operationParameters: { mode: "Append" },
    operationMetrics: { numAddedFiles: String(added.length), numRemovedFiles: String(removed.length) },
    readVersion: state.version,
    isBlindAppend: false,
    engineInfo: "weir",
    txnId: said.commitId,
    ...(snapshotId === undefined ? {} : { [ownNames.mirroredSnapshot]: String(snapshotId) }),
    ...(position === undefined ? {} : { [ownNames.position]: formatPosition(position) }),
    ...(after === undefined ? {} : { [ownNames.after]: formatPosition(after) }),
    ...(commitTimeMs === undefined ? {} : { [ownNames.commitTimeMs]: commitTimeMs }),
  };
}
