/**
 * Old versions of a table leave (Delta documentation, "Remove unused data files with vacuum" and "Log retention").
 *
 * Promise: no version within the table's own retention, or within the policy's where that is longer, loses a file. Versions leave
 * with the files that say them, so there is nothing to commit.
 */
import type { StoredObject } from "../../storage/storage.ts";
import type { Expiry, UpkeepPolicy } from "../upkeep.ts";
import type { AddFile } from "./actions.ts";
import { readRemoved } from "./checkpoint_rows.ts";
import { vectorPath } from "./deletion_vectors.ts";
import { filePath, type TablePlace } from "./load_state.ts";
import { commitPath, listLog, logFolder, readCommit, readFromCheckpoint } from "./log_file.ts";
import { durationMs, ownNames } from "./properties.ts";
import type { DeltaState } from "./state.ts";
import { removedSince } from "./write_checkpoint.ts";

/** How far back is kept, epoch milliseconds. */
export interface KeptSince {
  readonly log: number;
  readonly files: number;
}

/** What a policy keeps. Delta counts no versions. */
export type KeptAge = Pick<UpkeepPolicy, "keepSnapshotsMs">;

/** What a table's own properties keep, or a policy where that is longer. */
export function keptSince({ metadata }: DeltaState, nowMs = Date.now(), policy?: KeptAge): KeptSince {
  const since = (name: "logRetention" | "fileRetention") =>
    nowMs - Math.max(durationMs(metadata, name), policy?.keepSnapshotsMs ?? 0);
  return { log: since("logRetention"), files: since("fileRetention") };
}

/**
 * Log files that stand before the newest checkpoint that is older, oldest first, a checkpoint before its commit: a clean-up that
 * breaks off leaves no checkpoint that commits behind it are missing after.
 */
export async function oldLogFiles(place: TablePlace, state: DeltaState, since: KeptSince): Promise<readonly string[]> {
  const { commits, checkpoints, modifiedMs } = await listLog(place);
  // Of a later version than the state's the state does not know which commit names the position.
  const first = checkpoints.findLast(({ version, paths }) =>
    version <= state.version && paths.every((path) => modifiedMs.get(path)! < since.log)
  );
  if (first === undefined) return [];
  // Our last commit names the position that the table stands at.
  const own = state.transactions.get(ownNames.appId)?.version;
  const old = [
    ...checkpoints,
    ...commits.filter((version) => BigInt(version) !== own)
      .map((version) => ({ version, paths: [commitPath(place.folder, version)] })),
  ];
  return old.filter(({ version }) => version < first.version).sort((left, right) => left.version - right.version)
    .flatMap(({ paths }) => paths);
}

/** Files of rows, and deletion vectors: those of the newest version or removed lately, and those removed before. */
export interface FileUse {
  readonly needed: ReadonlySet<string>;
  readonly unneeded: ReadonlySet<string>;
}

/** What the log says of data files. */
export async function fileUse(place: TablePlace, state: DeltaState, since: KeptSince): Promise<FileUse> {
  const removed = await readFromCheckpoint(place, state, async (checkpoint) => {
    const earlier = checkpoint === undefined ? [] : await readRemoved(place, checkpoint);
    const later = await removedSince(place, { after: checkpoint, upTo: state.version });
    return [...earlier.flatMap(({ remove }) => remove ?? []), ...later.values()];
  });
  const isRecent = ({ deletionTimestamp = 0 }: { readonly deletionTimestamp?: number }) =>
    deletionTimestamp >= since.files;
  const live = [...state.files.values()].map(({ add }) => add);
  const needed = new Set([...live, ...removed.filter(isRecent)].flatMap((file) => pathsOf(place, file)));
  // A mirror's rows are its primary's: only that one knows who else needs them.
  const own = `${place.folder}/`;
  const unneeded = removed.flatMap((file) => pathsOf(place, file)).filter((path) => path.startsWith(own));
  return { needed, unneeded: new Set(unneeded).difference(needed) };
}

/** A file and its deletion vector. */
function pathsOf(
  place: TablePlace,
  { path, deletionVector }: Pick<AddFile, "path" | "deletionVector">,
): readonly string[] {
  const vector = deletionVector && vectorPath(place, deletionVector);
  return [filePath(place, path), ...(vector === undefined ? [] : [vector])];
}

/** Names what is old. */
export async function expireVersions(
  place: TablePlace,
  state: DeltaState,
  options: { readonly policy: UpkeepPolicy; readonly nowMs: number; readonly dryRun: boolean },
): Promise<Expiry> {
  const { policy, nowMs, dryRun } = options;
  const since = keptSince(state, nowMs, policy);
  const log = await oldLogFiles(place, state, since);
  const unneeded: string[] = [];
  for (const path of (await fileUse(place, state, since)).unneeded) {
    if (await place.storage.stat(path) !== undefined) unneeded.push(path);
  }
  const snapshots = log.filter((path) => path.endsWith(".json")).length;
  const paths = [...unneeded, ...log];
  if (paths.length === 0 || dryRun) return { snapshots, unneeded: paths };
  const result = { outcome: "committed", snapshotId: BigInt(state.version), rows: state.rows } as const;
  return { snapshots, unneeded: paths, result };
}

/** What writers leave in the log's folder that were stopped: names that no reader of the format knows. */
const scratchName = /\/(\.[0-9a-f-]{36}\.(json|parquet)|[^/]*\.[0-9a-f-]{36}\.tmp)$/;

/** Every file that a version within the table's own retention needs, or within a policy's where that is longer; the log included. */
export async function referencedFiles(
  place: TablePlace,
  state: DeltaState,
  policy?: KeptAge,
): Promise<ReadonlySet<string>> {
  const nowMs = Date.now();
  const [own, since] = [keptSince(state, nowMs), keptSince(state, nowMs, policy)];
  const { needed } = await fileUse(place, state, since);
  // Checkpoints name what was removed for as long as the table itself keeps it.
  const longer = since.files < own.files ? await removedInLog(place, since) : [];
  const log: StoredObject[] = await Array.fromAsync(place.storage.list(logFolder(place.folder)));
  return new Set([...needed, ...longer, ...log.map(({ path }) => path).filter((path) => !scratchName.test(path))]);
}

/** What commits removed that are still in the log and as young as that, by the time that they were put. */
async function removedInLog(place: TablePlace, since: KeptSince): Promise<readonly string[]> {
  const { commits, modifiedMs } = await listLog(place);
  const paths: string[] = [];
  for (const version of commits) {
    if (modifiedMs.get(commitPath(place.folder, version))! < since.files) continue;
    const actions = await readCommit(place, version) ?? [];
    paths.push(...actions.flatMap(({ remove }) => remove === undefined ? [] : pathsOf(place, remove)));
  }
  return paths;
}
