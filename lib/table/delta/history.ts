/** The versions that led to a state, and the files in which two states differ. */
import { parsePosition } from "../../change/position.ts";
import type { KeptSnapshot } from "../lake_table.ts";
import { type Action, vectorId } from "./actions.ts";
import { filePath, type TablePlace } from "./load_state.ts";
import { commitPath, listLog, readCommit, replayableVersions } from "./log_file.ts";
import { ownNames } from "./properties.ts";
import type { DeltaState, LiveFile } from "./state.ts";

interface KnownVersion extends KeptSnapshot {
  /** Another writer's commit that changed no rows says nothing of positions: the one before it still holds. */
  readonly inherits: boolean;
  readonly isEmpty: boolean;
}

/** Versions whose commits were read, by number: a commit never changes. */
export type KnownVersions = Map<number, KnownVersion>;

/** Commits read at a time. */
const mostReads = 64;

/** Versions up to a state's that can still be read, oldest first. */
export async function keptVersions(
  place: TablePlace,
  state: DeltaState,
  known: KnownVersions,
): Promise<readonly KeptSnapshot[]> {
  const listing = await listLog(place);
  const versions = replayableVersions(listing).filter((version) => version <= state.version);
  for (const version of known.keys()) if (version < (versions[0] ?? 0)) known.delete(version);
  const unread = versions.filter((version) => !known.has(version));
  for (let start = 0; start < unread.length; start += mostReads) {
    const some = unread.slice(start, start + mostReads);
    const read = await Promise.all(some.map((version) => readCommit(place, version)));
    // A commit that was cleaned up meanwhile is no longer kept.
    for (const [index, actions] of read.entries()) {
      const version = some[index]!;
      const writtenMs = listing.modifiedMs.get(commitPath(place.folder, version)) ?? 0;
      if (actions !== undefined) known.set(version, knownVersion({ version, writtenMs }, actions));
    }
  }
  const kept: KeptSnapshot[] = [];
  for (const version of versions.flatMap((version) => known.get(version) ?? [])) {
    const { isEmpty, inherits, ...snapshot } = version;
    const before = kept.at(-1)?.position;
    // As in the other formats, a table that has never had a row has no snapshot.
    if (kept.length === 0 && isEmpty) continue;
    kept.push(inherits && before !== undefined ? { ...snapshot, position: before, after: before } : snapshot);
  }
  return kept;
}

function knownVersion(
  { version, writtenMs }: { readonly version: number; readonly writtenMs: number },
  actions: readonly Action[],
): KnownVersion {
  const info = actions.find(({ commitInfo }) => commitInfo !== undefined)?.commitInfo;
  const isOurs = actions.some(({ txn }) => txn?.appId === ownNames.appId);
  const isSame = actions.every(({ add, remove, metaData }) =>
    add?.dataChange !== true && remove?.dataChange !== true && metaData === undefined
  );
  const position = positionIn(info?.[ownNames.position]);
  // Up to a position that was recorded without rows nothing happened.
  const after = isSame ? position : positionIn(info?.[ownNames.after]);
  return {
    id: BigInt(version),
    timeMs: typeof info?.["timestamp"] === "number" ? info["timestamp"] : writtenMs,
    inherits: isSame && !isOurs,
    isEmpty: version === 0 && actions.every(({ add }) => add === undefined),
    ...(position === undefined ? {} : { position }),
    ...(after === undefined ? {} : { after }),
  };
}

function positionIn(text: unknown): KeptSnapshot["position"] {
  return typeof text === "string" ? parsePosition(text) : undefined;
}

/** Whether the files of an earlier state are there still: a vacuum takes what the newest has no more. */
export async function hasFiles(place: TablePlace, state: DeltaState, newest: DeltaState): Promise<boolean> {
  for (const path of state.files.keys()) {
    if (!newest.files.has(path) && await place.storage.stat(filePath(place, path)) === undefined) return false;
  }
  return true;
}

/** Two states with the files alone that the other does not have just so, the older one under the newer one's columns. */
export function stateDifference(
  older: DeltaState,
  newer: DeltaState,
): { readonly before: DeltaState; readonly after: DeltaState } {
  const filesNotIn = (state: DeltaState, other: DeltaState) =>
    new Map([...state.files].filter(([path, file]) => !isSameFile(file, other.files.get(path))));
  return {
    before: { ...older, fields: newer.fields, columns: newer.columns, files: filesNotIn(older, newer) },
    after: { ...newer, files: filesNotIn(newer, older) },
  };
}

function isSameFile({ add }: LiveFile, other: LiveFile | undefined): boolean {
  return other !== undefined && vectorId(add.deletionVector) === vectorId(other.add.deletionVector);
}
