/**
 * Computes a commit from a state and a prepared change: its actions, and the state that follows.
 *
 * Promise: no I/O. Staging the same files on another state that they fit gives the same change as a later version.
 */
import { formatPosition } from "../../change/position.ts";
import { type Action, type CommitInfo, formatActions, type RemoveFile } from "./actions.ts";
import { commitPath } from "./log_file.ts";
import type { DeltaPrepared } from "./prepared_change.ts";
import { checkpointInterval, ownNames } from "./properties.ts";
import { type DeltaState, type LiveFile, stateOf } from "./state.ts";

/** What {@linkcode stageCommit} gives: everything a commit puts. */
export interface DeltaStaged {
  /** Names this attempt, so that a writer whose answer got lost finds itself again. */
  readonly commitId: string;
  /** Version this commit builds on. */
  readonly base: number;
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly next: DeltaState;
  readonly isCheckpointDue: boolean;
}

/** Stages a prepared change. */
export function stageCommit(folder: string, state: DeltaState, prepared: DeltaPrepared): DeltaStaged {
  const commitId = crypto.randomUUID();
  const version = state.version + 1;
  const nowMs = Date.now();
  const changes = fileChanges(state, prepared, nowMs);
  const { protocol, metadata } = prepared.target;
  const txn = { appId: ownNames.appId, version: BigInt(version), lastUpdated: nowMs };
  const actions: Action[] = [
    { commitInfo: commitInfo(state, prepared, { commitId, nowMs, changes }) },
    ...(sameJson(protocol, state.protocol) ? [] : [{ protocol }]),
    ...(sameJson(metadata, state.metadata) ? [] : [{ metaData: metadata }]),
    { txn },
    ...changes.removed.map((remove) => ({ remove })),
    ...changes.added.map(({ add }) => ({ add })),
  ];
  const { position } = prepared;
  const next = stateOf({
    ...{ version, protocol, metadata, files: changes.files },
    transactions: new Map(state.transactions).set(ownNames.appId, txn),
    ...(position === undefined ? {} : { position }),
    ...(state.checkpoint === undefined ? {} : { checkpoint: state.checkpoint }),
  });
  return {
    ...{ commitId, base: state.version, next, path: commitPath(folder, version) },
    bytes: new TextEncoder().encode(formatActions(actions)),
    isCheckpointDue: version % checkpointInterval(metadata) === 0,
  };
}

interface FileChanges {
  readonly removed: readonly RemoveFile[];
  readonly added: readonly LiveFile[];
  /** Live files afterwards. */
  readonly files: ReadonlyMap<string, LiveFile>;
}

function fileChanges(state: DeltaState, prepared: DeltaPrepared, nowMs: number): FileChanges {
  const files = new Map(prepared.truncate ? [] : state.files);
  const removed: RemoveFile[] = [];
  const added: LiveFile[] = [];
  const remove = (file: LiveFile, dataChange: boolean) => removed.push(removalOf(file, { dataChange, nowMs }));
  if (prepared.truncate) { for (const file of state.files.values()) remove(file, true); }
  else {
    for (const { target, by, dataChange } of prepared.replaced) {
      remove(state.files.get(target.add.path)!, dataChange);
      files.delete(target.add.path);
      if (by !== undefined) added.push(markedSince(by, state.version + 1));
    }
  }
  added.push(...prepared.added.map((file) => markedSince(file, state.version + 1)));
  for (const file of added) files.set(file.add.path, file);
  return { removed, added, files };
}

function markedSince(file: LiveFile, version: number): LiveFile {
  return file.deleted === undefined ? file : { ...file, deleted: { ...file.deleted, since: version } };
}

/** The removal of a live file. */
export function removalOf({ add }: LiveFile, of: { readonly dataChange: boolean; readonly nowMs: number }): RemoveFile {
  const { path, partitionValues, size, deletionVector } = add;
  return {
    ...{ path, deletionTimestamp: of.nowMs, dataChange: of.dataChange, extendedFileMetadata: true },
    ...{ partitionValues, size },
    ...(deletionVector === undefined ? {} : { deletionVector }),
  };
}

interface Said {
  readonly commitId: string;
  readonly nowMs: number;
  readonly changes: FileChanges;
}

/** What the history shows, and how a writer finds its own commit and position. */
function commitInfo(state: DeltaState, prepared: DeltaPrepared, { commitId, nowMs, changes }: Said): CommitInfo {
  const { removed, added } = changes;
  const { position, after, commitTimeMs } = prepared;
  const isBlindAppend = removed.length === 0 && prepared.searched === undefined;
  const rows = prepared.added.reduce((sum, file) => sum + file.rows, 0n);
  return {
    timestamp: nowMs,
    operation: operationOf(prepared),
    operationParameters: { mode: prepared.truncate ? "Overwrite" : "Append" },
    operationMetrics: {
      numOutputRows: String(rows),
      numAddedFiles: String(added.length),
      numRemovedFiles: String(removed.length),
    },
    readVersion: state.version,
    isBlindAppend,
    engineInfo: "weir",
    txnId: commitId,
    ...(position === undefined ? {} : { [ownNames.position]: formatPosition(position) }),
    ...(after === undefined ? {} : { [ownNames.after]: formatPosition(after) }),
    ...(commitTimeMs === undefined ? {} : { [ownNames.commitTimeMs]: commitTimeMs }),
  };
}

/** Names are those that Delta's own history has. */
function operationOf({ truncate, searched, added, base, target, merge }: DeltaPrepared): string {
  if (merge !== undefined) return "OPTIMIZE";
  if (truncate || (searched === undefined && added.length > 0)) return "WRITE";
  if (searched !== undefined) return "MERGE";
  return sameJson(base.metadata, target.metadata) ? "STREAMING UPDATE" : "SET TBLPROPERTIES";
}

/** Whether two plain values are spelled alike. */
export function sameJson(left: unknown, right: unknown): boolean {
  return left === right || JSON.stringify(left) === JSON.stringify(right);
}
