/**
 * Where versions of a table stand: `_delta_log/<20 digits>.json`, contiguous from 0, and checkpoints beside them (Delta
 * protocol, "Delta Log Entries", "Checkpoints" and "Last Checkpoint File").
 */
import { WeirError } from "../../errors.ts";
import type { Storage } from "../../storage/storage.ts";
import { type Action, parseActions } from "./actions.ts";

/** A table's folder in a storage. */
export interface LogPlace {
  readonly storage: Storage;
  readonly folder: string;
}

/** A checkpoint: its version and its files, in order. */
export interface CheckpointFiles {
  readonly version: number;
  readonly paths: readonly string[];
}

/** The folder of a table's log. */
export function logFolder(folder: string): string {
  return `${folder}/_delta_log`;
}

function numbered(folder: string, version: number): string {
  return `${logFolder(folder)}/${String(version).padStart(20, "0")}`;
}

/** Path of one version's commit. */
export function commitPath(folder: string, version: number): string {
  return `${numbered(folder, version)}.json`;
}

/** Path of a version's checkpoint as this code writes it. */
export function checkpointPath(folder: string, version: number): string {
  return `${numbered(folder, version)}.checkpoint.parquet`;
}

/** Path of the hint at the newest checkpoint. */
export function hintPath(folder: string): string {
  return `${logFolder(folder)}/_last_checkpoint`;
}

/** The actions of one version; undefined where there is none. Throws `tableUnreadable` naming a damaged file. */
export async function readCommit(
  { storage, folder }: LogPlace,
  version: number,
): Promise<readonly Action[] | undefined> {
  const path = commitPath(folder, version);
  const bytes = await storage.read(path);
  return bytes && decodePart(path, () => parseActions(new TextDecoder().decode(bytes)));
}

/** Reads a file that the table says it has, and decodes it. Anything wrong with it is `tableUnreadable` with its name. */
export async function readPart<T>(storage: Storage, path: string, decode: (bytes: Uint8Array) => T): Promise<T> {
  const bytes = await storage.read(path);
  if (bytes === undefined) throw unreadable(path, "it is missing");
  return decodePart(path, () => decode(bytes));
}

function decodePart<T>(path: string, decode: () => T): T {
  try {
    return decode();
  } catch (thrown) {
    throw unreadable(path, thrown instanceof RangeError ? thrown.message : "it is damaged", thrown);
  }
}

/** The error of a file that cannot be read. */
export function unreadable(path: string, what: string, cause?: unknown): WeirError {
  return new WeirError("tableUnreadable", `Cannot read ${path}: ${what}`, { cause, detail: { path } });
}

/** Whether a version is there: as a commit, or as a checkpoint whose commit was cleaned up. */
export async function hasVersion({ storage, folder }: LogPlace, version: number): Promise<boolean> {
  for (const path of [commitPath(folder, version), checkpointPath(folder, version)]) {
    if (await storage.stat(path) !== undefined) return true;
  }
  return false;
}

/** What the log's folder holds. */
export interface LogListing {
  /** Versions with a commit, ascending. */
  readonly commits: readonly number[];
  /** Whole checkpoints, ascending. */
  readonly checkpoints: readonly CheckpointFiles[];
  /** Milliseconds since 1970 of a path's last change. */
  readonly modifiedMs: ReadonlyMap<string, number>;
}

const commitName = /\/(\d{20})\.json$/;
const checkpointName = /\/(\d{20})\.checkpoint(?:\.(\d{10})\.(\d{10}))?\.parquet$/;

/** Lists commits and checkpoints. */
export async function listLog({ storage, folder }: LogPlace): Promise<LogListing> {
  const commits: number[] = [];
  const parts = new Map<string, { readonly version: number; readonly wanted: number; readonly paths: string[] }>();
  const modifiedMs = new Map<string, number>();
  for await (const { path, modifiedMs: at } of storage.list(logFolder(folder))) {
    modifiedMs.set(path, at);
    const commit = commitName.exec(path);
    if (commit !== null) commits.push(Number(commit[1]));
    const checkpoint = checkpointName.exec(path);
    if (checkpoint === null) continue;
    const [, version, , wanted] = checkpoint;
    const id = `${version}/${wanted ?? 1}`;
    const known = parts.get(id) ?? { version: Number(version), wanted: Number(wanted ?? 1), paths: [] };
    known.paths.push(path);
    parts.set(id, known);
  }
  const checkpoints = [...parts.values()].filter(({ wanted, paths }) => paths.length === wanted)
    .map(({ version, paths }) => ({ version, paths: paths.sort() }));
  return {
    commits: commits.sort((left, right) => left - right),
    checkpoints: checkpoints.sort((left, right) => left.version - right.version),
    modifiedMs,
  };
}

/**
 * Versions that can be replayed: from the table's begin, or from a checkpoint, every commit up to theirs is there. A clean-up that
 * broke off may have left others, and one leaves our last commit.
 */
export function replayableVersions({ commits, checkpoints }: LogListing): readonly number[] {
  const starts = new Set(checkpoints.map(({ version }) => version));
  let reached = -1;
  return commits.filter((version) => {
    const isReached = starts.has(version) || starts.has(version - 1) || reached === version - 1;
    if (isReached) reached = version;
    return isReached;
  });
}

/** The checkpoint that the hint names, if it is there whole. The hint only saves listing. */
export async function hintedCheckpoint({ storage, folder }: LogPlace): Promise<CheckpointFiles | undefined> {
  const bytes = await storage.read(hintPath(folder));
  const hint = bytes && parseHint(new TextDecoder().decode(bytes));
  if (hint === undefined) return undefined;
  const { version, parts } = hint;
  const digits = (part: number) => String(part).padStart(10, "0");
  const paths = parts === undefined ? [checkpointPath(folder, version)] : Array.from(
    { length: parts },
    (_, index) => `${numbered(folder, version)}.checkpoint.${digits(index + 1)}.${digits(parts)}.parquet`,
  );
  return await isThere({ storage, folder }, paths) ? { version, paths } : undefined;
}

/**
 * Reads the log from the checkpoint that a state knows of on; undefined is the log's first version. Another writer may have made a
 * newer one since, and removed what came before: only where something is missing is that one looked for, and read from.
 */
export async function readFromCheckpoint<T>(
  place: LogPlace,
  state: { readonly version: number; readonly checkpoint?: CheckpointFiles },
  read: (checkpoint: CheckpointFiles | undefined) => Promise<T>,
): Promise<T> {
  try {
    return await read(state.checkpoint);
  } catch (thrown) {
    if (!(thrown instanceof WeirError) || thrown.kind !== "tableUnreadable") throw thrown;
    const { checkpoints } = await listLog(place);
    const newer = checkpoints.findLast(({ version }) => version <= state.version);
    if (newer === undefined || newer.version <= (state.checkpoint?.version ?? -1)) throw thrown;
    return await read(newer);
  }
}

async function isThere({ storage }: LogPlace, paths: readonly string[]): Promise<boolean> {
  for (const path of paths) if (await storage.stat(path) === undefined) return false;
  return true;
}

function parseHint(text: string): { readonly version: number; readonly parts?: number } | undefined {
  try {
    const { version, parts } = JSON.parse(text) as { readonly version?: unknown; readonly parts?: unknown };
    if (!Number.isSafeInteger(version) || (version as number) < 0) return undefined;
    return { version: version as number, ...(Number.isSafeInteger(parts) ? { parts: parts as number } : {}) };
  } catch {
    return undefined;
  }
}
