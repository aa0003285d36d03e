/** Decodes a version of a table, taking from an earlier state whatever it shares with it. */
import type { Connection } from "../../engine/connection.ts";
import { literal } from "../../engine/quote.ts";
import type { Storage } from "../../storage/storage.ts";
import { vectorId } from "./actions.ts";
import { readCheckpoint } from "./checkpoint_rows.ts";
import { readVectors } from "./deletion_vectors.ts";
import {
  type CheckpointFiles,
  commitPath,
  hasVersion,
  hintedCheckpoint,
  listLog,
  logFolder,
  readCommit,
  unreadable,
} from "./log_file.ts";
import { type AddedFile, LogReplay } from "./log_replay.ts";
import { ownNames } from "./properties.ts";
import { plainText } from "./partition_values.ts";
import { refuseForeign } from "./protocol.ts";
import { physicalName } from "./schema.ts";
import { type DeltaState, type LiveFile, recordedIn, stateOf } from "./state.ts";
import { recordCount } from "./statistics.ts";

/** Where a table is read from. */
export interface TablePlace {
  readonly storage: Storage;
  readonly connection: Connection;
  /** Folder of the table below the storage root. */
  readonly folder: string;
}

/** Which version is decoded. */
export interface LoadRequest {
  /** Default: the newest. */
  readonly version?: number;
  /** An earlier state of the same table. */
  readonly known?: DeltaState | undefined;
  /** A deletion vector that somebody deleted counts as one of no rows, for who will put another in its place. Default false. */
  readonly mends?: boolean;
}

/**
 * The state of a version; undefined where there is no table.
 *
 * @throws {WeirError} `tableUnreadable` naming the file that is damaged, missing, or of a kind this code does not read.
 */
export async function loadState(place: TablePlace, request: LoadRequest = {}): Promise<DeltaState | undefined> {
  const { known } = request;
  const start = known === undefined ? await startOf(place, request.version) : undefined;
  const checkpoint = known?.checkpoint ?? start;
  const replay = new LogReplay(known);
  if (start !== undefined) replay.apply(await readCheckpoint(place, start), start.version);
  const from = known?.version ?? start?.version ?? -1;
  const version = await replayCommits(place, replay, { from, to: request.version });
  if (version < 0) return undefined;
  if (request.version !== undefined && version !== request.version) {
    throw unreadable(commitPath(place.folder, request.version), "the version is not there, or no more");
  }
  const { mends = false } = request;
  return await decode(place, replay, { version, checkpoint, known, mends });
}

/** The checkpoint to start from; undefined where the log is whole from its first version. */
async function startOf(place: TablePlace, version: number | undefined): Promise<CheckpointFiles | undefined> {
  const hinted = await hintedCheckpoint(place);
  if (hinted !== undefined && (version === undefined || hinted.version <= version)) return hinted;
  const { checkpoints, commits } = await listLog(place);
  const found = checkpoints.findLast((each) => version === undefined || each.version <= version);
  if (found === undefined && commits.length > 0 && commits[0] !== 0) {
    throw unreadable(commitPath(place.folder, 0), "it is missing, and so is a checkpoint that stands for it");
  }
  return found;
}

/** Replays the commits behind a version and gives the last one's. */
async function replayCommits(
  place: TablePlace,
  replay: LogReplay,
  range: { readonly from: number; readonly to: number | undefined },
): Promise<number> {
  let version = range.from;
  while (range.to === undefined || version < range.to) {
    const actions = await readCommit(place, version + 1);
    if (actions === undefined) break;
    replay.apply(actions, ++version);
  }
  // A hole would hide every later version, and the next commit of ours would fill it.
  const isBehind = range.to === undefined && version >= 0 && await hasVersion(place, version + 2);
  if (isBehind && !await hasVersion(place, version + 1)) {
    throw unreadable(commitPath(place.folder, version + 1), "it is missing, and a later version is there");
  }
  return isBehind ? await replayCommits(place, replay, { ...range, from: version }) : version;
}

interface Decoding {
  readonly mends: boolean;
  readonly version: number;
  readonly checkpoint: CheckpointFiles | undefined;
  readonly known: DeltaState | undefined;
}

async function decode(place: TablePlace, replay: LogReplay, decoding: Decoding) {
  const { version, checkpoint } = decoding;
  const { protocol, metadata } = replay;
  const log = logFolder(place.folder);
  if (protocol === undefined || metadata === undefined) throw unreadable(log, "it has no protocol or no schema");
  refuseForeign(place.folder, { protocol, metadata });
  const files = await liveFiles(place, replay.adds, decoding);
  const recorded = await recordedAtVersion(place, replay);
  try {
    const state = stateOf({
      ...{ version, protocol, metadata, files, transactions: replay.transactions, ...recorded },
      ...(checkpoint === undefined ? {} : { checkpoint }),
    });
    refuseValues(state, decoding.known);
    return state;
  } catch (thrown) {
    throw unreadable(log, thrown instanceof RangeError ? thrown.message : "it is damaged", thrown);
  }
}

/** Throws `RangeError` where a file that is new has no readable value of a partition column. */
function refuseValues({ fields, partition, files }: DeltaState, known: DeltaState | undefined): void {
  const partitioned = fields.filter((field) => partition.includes(physicalName(field)));
  if (partitioned.length === 0) return;
  for (const [path, { add }] of files) {
    if (known?.files.has(path)) continue;
    for (const field of partitioned) plainText(field, add.partitionValues[physicalName(field)] ?? null);
  }
}

/** A checkpoint says which version we committed last; what was recorded with it stands in that version's commit. */
async function recordedAtVersion(place: TablePlace, replay: LogReplay) {
  if (replay.recorded !== undefined) return replay.recorded;
  const own = replay.transactions.get(ownNames.appId);
  if (own === undefined) return {};
  const actions = await readCommit(place, Number(own.version));
  // Cleaned up by another writer after the log's retention: what was recorded is not known, so the table is copied again.
  return recordedIn(actions?.find(({ commitInfo }) => commitInfo !== undefined)?.commitInfo);
}

/** Live files with their deleted rows, which are only read where an earlier state does not know them. */
async function liveFiles(
  place: TablePlace,
  adds: ReadonlyMap<string, AddedFile>,
  { known, mends }: Decoding,
): Promise<Map<string, LiveFile>> {
  const files = new Map<string, LiveFile>();
  const unread: AddedFile[] = [];
  for (const [path, { add, version }] of adds) {
    const same = known?.files.get(path);
    const isKnown = same !== undefined && vectorId(same.add.deletionVector) === vectorId(add.deletionVector);
    files.set(path, isKnown ? { ...same, add } : { add, rows: recordCount(add) ?? -1n });
    if (!isKnown) unread.push({ add, version });
  }
  const marked = unread.filter(({ add }) => add.deletionVector !== undefined);
  const vectors = await readVectors(place, marked.map(({ add }) => add.deletionVector!), mends);
  for (const [index, { add: { path }, version }] of marked.entries()) {
    files.set(path, { ...files.get(path)!, deleted: { positions: vectors[index]!, since: version } });
  }
  await countRows(place, files);
  return files;
}

/** Other writers need not say how many rows a file has. */
async function countRows(place: TablePlace, files: Map<string, LiveFile>): Promise<void> {
  for (const [path, file] of files) {
    if (file.rows >= 0n) continue;
    const stored = filePath(place, path);
    using readable = await place.storage.readable([stored]);
    const name = literal(readable.duckdbPath(stored));
    const rows = await place.connection.value(`SELECT sum(num_rows)::BIGINT FROM parquet_file_metadata(${name})`);
    files.set(path, { ...file, rows: rows as bigint });
  }
}

/**
 * Path below the storage root of a file that the log names: in the table's folder, or by its whole URI, as a mirror names those of
 * its primary. Throws `tableUnreadable` for one outside the storage.
 */
export function filePath({ storage, folder }: Pick<TablePlace, "storage" | "folder">, path: string): string {
  const decoded = decodeURIComponent(path);
  if (isAbsolute(path)) return storage.path(decoded);
  if (decoded.startsWith("/")) throw unreadable(path, "it lies outside the table's folder");
  return `${folder}/${decoded}`;
}

/** Whether the log names a file by its whole URI. */
export function isAbsolute(path: string): boolean {
  return /^[a-z][a-z0-9+.-]*:/i.test(path);
}
