/**
 * Writes checkpoints (Delta protocol, "Checkpoints", V1 in one file), so that a reader need not read the whole log.
 *
 * Promise: a checkpoint holds what its version's log adds up to: protocol, schema, transactions, live files, and the files that
 * were removed too short a time ago to be deleted.
 */
import { failPoint } from "../../fail_point.ts";
import { identifier, literal } from "../../engine/quote.ts";
import { concatenate } from "../deleted_rows/roaring.ts";
import { type Action, formatActions, type RemoveFile, vectorId } from "./actions.ts";
import { type CheckpointColumn, checkpointColumns, openCheckpoint } from "./checkpoint_rows.ts";
import type { TablePlace } from "./load_state.ts";
import {
  type CheckpointFiles,
  checkpointPath,
  commitPath,
  hintPath,
  logFolder,
  readCommit,
  readFromCheckpoint,
  unreadable,
} from "./log_file.ts";
import { durationMs } from "./properties.ts";
import type { DeltaState } from "./state.ts";

/** Writes the checkpoint of a state, and the hint at it; gives the checkpoint. One that is there already stays. */
export async function writeCheckpoint(place: TablePlace, state: DeltaState): Promise<CheckpointFiles> {
  return await readFromCheckpoint(place, state, (previous) => writeAfter(place, state, previous));
}

async function writeAfter(
  place: TablePlace,
  state: DeltaState,
  previous: CheckpointFiles | undefined,
): Promise<CheckpointFiles> {
  const { storage, folder } = place;
  const path = checkpointPath(folder, state.version);
  const removed = await removedSince(place, { after: previous, upTo: state.version });
  // Only what they become is put: nobody but the engine reads them.
  const name = `${await storage.prepareFolder(logFolder(folder))}/.${crypto.randomUUID()}`;
  const scratch = { actions: `${name}.json`, parquet: `${name}.parquet` };
  try {
    const lines = actionsOf(state, removed).map((action) => new TextEncoder().encode(formatActions([action])));
    await Deno.writeFile(scratch.actions, concatenate(lines));
    const longest = lines.reduce((most, { length }) => Math.max(most, length + 1), leastLineBytes);
    const rows = await copyActions(place, { state, previous, scratch, longest });
    await storage.putIfAbsent(path, await Deno.readFile(scratch.parquet));
    await failPoint("delta.beforeHint");
    const hint = JSON.stringify({ version: state.version, size: rows });
    await storage.put(hintPath(folder), new TextEncoder().encode(hint));
    return { version: state.version, paths: [path] };
  } finally {
    for (const each of Object.values(scratch)) await Deno.remove(each).catch(() => {});
  }
}

/** The last removal of each file and vector after a checkpoint, up to a version. */
export async function removedSince(
  place: TablePlace,
  { after, upTo }: { readonly after: CheckpointFiles | undefined; readonly upTo: number },
): Promise<ReadonlyMap<string, RemoveFile>> {
  const removed = new Map<string, RemoveFile>();
  for (let version = (after?.version ?? -1) + 1; version <= upTo; version++) {
    const actions = await readCommit(place, version);
    if (actions === undefined) throw unreadable(commitPath(place.folder, version), "it is missing");
    for (const { remove } of actions) if (remove !== undefined) removed.set(fileId(remove), remove);
  }
  return removed;
}

/** A file under one of its deletion vectors: what is added and removed. */
function fileId({ path, deletionVector }: Pick<RemoveFile, "path" | "deletionVector">): string {
  return `${path} ${vectorId(deletionVector)}`;
}

/** Removed files are named for so much longer than they are kept, milliseconds, that an expiry still hears of them. */
const namedForMs = 86_400_000;

function oldestNamed({ metadata }: DeltaState): number {
  return Date.now() - durationMs(metadata, "fileRetention") - namedForMs;
}

function actionsOf(state: DeltaState, removed: ReadonlyMap<string, RemoveFile>): readonly Action[] {
  const live = new Set([...state.files.values()].map(({ add }) => fileId(add)));
  const oldest = oldestNamed(state);
  const kept = [...removed].filter(([id, { deletionTimestamp = 0 }]) => !live.has(id) && deletionTimestamp > oldest);
  return [
    { protocol: state.protocol },
    { metaData: state.metadata },
    ...[...state.transactions.values()].map((txn) => ({ txn })),
    ...[...state.files.values()].map(({ add }) => ({ add: { ...add, dataChange: false } })),
    ...kept.map(([, remove]) => ({ remove: { ...remove, dataChange: false } })),
  ];
}

/** DuckDB sets twice the longest line aside for each thread: told too much, it runs out of memory; told too little, it fails. */
const leastLineBytes = 65_536;

interface CheckpointCopy {
  /** Bytes of the longest action. */
  readonly longest: number;
  readonly state: DeltaState;
  readonly previous: CheckpointFiles | undefined;
  /** Local files. */
  readonly scratch: { readonly actions: string; readonly parquet: string };
}

/** Turns the actions into Parquet, with what the checkpoint before still knows of removed files. Gives the number of rows. */
async function copyActions(place: TablePlace, { state, previous, scratch, longest }: CheckpointCopy): Promise<number> {
  const names = Object.keys(checkpointColumns) as CheckpointColumn[];
  const columns = names.map((name) => `${name}: ${literal(checkpointColumns[name])}`).join(", ");
  const actions = `read_json(${literal(scratch.actions)}, format='newline_delimited', ` +
    `maximum_object_size=${longest}, columns={${columns}})`;
  const list = names.map(identifier).join(", ");
  const selects = [`SELECT ${list} FROM ${actions}`];
  using earlier = previous && await openCheckpoint(place, previous);
  if (earlier?.columns.has("remove")) {
    const others = names.map((name) => name === "remove" ? "earlier.remove" : `NULL AS ${name}`).join(", ");
    selects.push(`SELECT ${others} FROM (
        SELECT remove::${checkpointColumns.remove} AS remove FROM ${earlier.table} WHERE remove IS NOT NULL
      ) AS earlier
      ANTI JOIN (SELECT coalesce(remove.path, add.path) AS path,
          coalesce(remove.deletionVector, add.deletionVector) AS vector FROM ${actions}) AS later
        ON earlier.remove.path = later.path AND earlier.remove.deletionVector IS NOT DISTINCT FROM later.vector
      WHERE earlier.remove.deletionTimestamp > ${oldestNamed(state)}`);
  }
  const target = literal(scratch.parquet);
  return await place.connection.run(
    `COPY (${selects.join(" UNION ALL ")}) TO ${target} (FORMAT parquet, COMPRESSION zstd)`,
  );
}
