/** Decodes a version of a table, taking from an earlier state whatever it shares with it. */
import type { Connection } from "../../engine/connection.ts";
import { WeirError } from "../../errors.ts";
import type { Storage } from "../../storage/storage.ts";
import { readDeletes, targetOf } from "./delete_files.ts";
import { decodeManifest, type ManifestEntry } from "./manifest.ts";
import { decodeManifestList, type ManifestFile } from "./manifest_list.ts";
import { currentSchema, currentSnapshot, type TableMetadata } from "./metadata.ts";
import { readPart } from "./metadata_file.ts";
import { isSupported } from "./partition_spec.ts";
import { countRows, type IcebergState, type LiveDeletes, type LiveFile, stateOf } from "./state.ts";

/** Where a table is read from. */
export interface TablePlace {
  readonly storage: Storage;
  readonly connection: Connection;
  /** Folder of the table below the storage root. */
  readonly folder: string;
}

/** What is decoded: a version, with an earlier state of the same table to take from. */
export interface LoadRequest {
  readonly version: number;
  readonly metadata: TableMetadata;
  readonly known?: IcebergState;
}

/**
 * The state of a version.
 *
 * @throws {WeirError} `tableUnreadable` naming the file that is damaged, missing, or of a kind this code does not read.
 */
export async function loadState(place: TablePlace, request: LoadRequest): Promise<IcebergState> {
  const { version, metadata, known } = request;
  refuseForeign(metadata);
  const snapshot = currentSnapshot(metadata);
  const manifests = snapshot === undefined
    ? []
    : await readPart(place.storage, snapshot["manifest-list"], decodeManifestList);
  const entries = await readEntries(place.storage, { manifests, ...(known === undefined ? {} : { known }) });
  const deletes = await liveDeletes(place, {
    entries: entries.filter(({ manifest }) => manifest.content === 1),
    known,
  });
  const files = new Map<string, LiveFile>();
  for (const { manifest, entry } of entries) {
    if (manifest.content === 1) continue;
    const own = deletes.get(entry.file.file_path);
    files.set(entry.file.file_path, {
      entry,
      manifest: manifest.manifest_path,
      ...(own === undefined ? {} : { deletes: own }),
    });
  }
  return stateOf({ version, metadata, manifests, files }, countRows(files.values()));
}

/** Only tables as this code writes them can be written on. */
function refuseForeign(metadata: TableMetadata): void {
  const schema = currentSchema(metadata);
  if (!metadata["partition-specs"].every((spec) => isSupported(spec, schema))) {
    throw new WeirError("tableUnreadable", `The table at ${metadata.location} is partitioned by another writer`);
  }
}

interface ListedEntry {
  readonly manifest: ManifestFile;
  readonly entry: ManifestEntry;
}

async function readEntries(
  storage: Storage,
  from: { manifests: readonly ManifestFile[]; known?: IcebergState },
): Promise<ListedEntry[]> {
  const known = knownEntries(from.known);
  const lists = await Promise.all(from.manifests.map(async (manifest) => {
    const entries = known.get(manifest.manifest_path) ??
      await readPart(storage, manifest.manifest_path, (bytes) => decodeManifest(bytes, manifest));
    return entries.filter(({ status }) => status !== 2).map((entry) => ({ manifest, entry }));
  }));
  return lists.flat();
}

/** Live entries by manifest. A manifest that an earlier state shows in full need not be read again. */
function knownEntries(known: IcebergState | undefined): Map<string, ManifestEntry[]> {
  const found = new Map<string, ManifestEntry[]>();
  const add = (manifest: string, entry: ManifestEntry) => {
    const entries = found.get(manifest);
    if (entries === undefined) found.set(manifest, [entry]);
    else entries.push(entry);
  };
  for (const { manifest, entry, deletes } of known?.files.values() ?? []) {
    add(manifest, entry);
    if (deletes !== undefined) add(deletes.manifest, deletes.entry);
  }
  return found;
}

async function liveDeletes(
  place: TablePlace,
  from: { entries: readonly ListedEntry[]; known: IcebergState | undefined },
): Promise<Map<string, LiveDeletes>> {
  const found = new Map<string, LiveDeletes>();
  const unread: ListedEntry[] = [];
  for (const each of from.entries) {
    const target = targetOf(each.entry.file);
    const listed = { ...each, entry: { ...each.entry, file: { ...each.entry.file, referenced_data_file: target } } };
    if (target === null || found.has(target) || listed.entry.file.content !== 1) {
      const path = listed.entry.file.file_path;
      throw new WeirError("tableUnreadable", `Cannot use ${path}: a delete file of another writer`, {
        detail: { path },
      });
    }
    const known = from.known?.files.get(target)?.deletes;
    const same = known !== undefined && sameDeletes(known.entry, listed.entry);
    found.set(target, {
      ...(same ? known : { positions: undefined! }),
      entry: listed.entry,
      manifest: listed.manifest.manifest_path,
    });
    if (!same) unread.push(listed);
  }
  const positions = await readDeletes(place, unread.map(({ entry }) => entry.file));
  for (const [target, read] of positions) found.set(target, { ...found.get(target)!, positions: read });
  return found;
}

/** Whether two entries stand for the same bytes. */
export function sameDeletes(left: ManifestEntry, right: ManifestEntry): boolean {
  return left.file.file_path === right.file.file_path && left.file.content_offset === right.file.content_offset;
}
