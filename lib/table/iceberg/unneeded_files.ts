/**
 * The files that no snapshot needs any more once some have left.
 *
 * Promise: a file that a snapshot which stays refers to is never named. In the ordinary case, the oldest snapshots of `main`
 * leaving, nothing is read that this process has committed itself: every commit notes which files it was the last to need.
 */
import type { Storage } from "../../storage/storage.ts";
import { decodeManifest, type ManifestEntry } from "./manifest.ts";
import { decodeManifestList, type ManifestFile } from "./manifest_list.ts";
import type { Snapshot, TableMetadata } from "./metadata.ts";
import { readPart } from "./metadata_file.ts";
import { reachableFiles } from "./reachable_files.ts";
import { ancestry } from "./retention.ts";

/** What is known of snapshots without reading; one per table. It holds as much as the listed snapshots changed. */
export class SnapshotFiles {
  /** By snapshot: paths that its parent needed and it does not. */
  readonly released = new Map<bigint, readonly string[]>();
  /** By snapshot that a branch or tag holds, older than those of `main`: every path it needs. */
  readonly held = new Map<bigint, ReadonlySet<string>>();

  /** Forgets what is not about these snapshots. */
  keepOnly(snapshots: ReadonlySet<bigint>): void {
    for (const known of [this.released, this.held]) {
      for (const id of known.keys()) if (!snapshots.has(id)) known.delete(id);
    }
  }
}

/** What leaves. */
export interface Leaving {
  readonly metadata: TableMetadata;
  readonly kept: ReadonlySet<bigint>;
  readonly known: SnapshotFiles;
}

/** Paths below the storage root, each once. */
export async function unneededFiles(storage: Storage, leaving: Leaving): Promise<string[]> {
  const { metadata, kept } = leaving;
  const isKept = (snapshot: Snapshot) => kept.has(snapshot["snapshot-id"]);
  const byId = new Map(metadata.snapshots.map((snapshot) => [snapshot["snapshot-id"], snapshot]));
  const chain = [...ancestry(byId, metadata["current-snapshot-id"])];
  const expired = metadata.snapshots.filter((snapshot) => !isKept(snapshot));
  const inChain = new Set(chain);
  if (!expired.every((snapshot) => inChain.has(snapshot))) {
    // A branch was dropped, or another writer rolled back: compare everything.
    const needed = await reachableFiles(storage, metadata.snapshots.filter(isKept));
    return [...(await reachableFiles(storage, expired)).difference(needed)];
  }
  const oldestOfNewest = chain.findIndex((snapshot) => !isKept(snapshot)) - 1;
  const unneeded = new Set(expired.map((snapshot) => storage.path(snapshot["manifest-list"])));
  // The oldest one's parent has left before, with what only that one needed.
  for (const [index, parent] of chain.entries()) {
    if (index <= oldestOfNewest) continue;
    for (const path of await releasedBy(storage, { snapshot: chain[index - 1]!, parent, leaving })) unneeded.add(path);
  }
  const newest = new Set(chain.slice(0, oldestOfNewest + 1));
  const others = metadata.snapshots.filter((snapshot) => isKept(snapshot) && !newest.has(snapshot));
  for (const snapshot of others) {
    for (const path of await heldBy(storage, snapshot, leaving.known)) unneeded.delete(path);
  }
  return [...unneeded];
}

async function heldBy(storage: Storage, snapshot: Snapshot, { held }: SnapshotFiles): Promise<ReadonlySet<string>> {
  const known = held.get(snapshot["snapshot-id"]) ?? await reachableFiles(storage, [snapshot]);
  held.set(snapshot["snapshot-id"], known);
  return known;
}

async function releasedBy(
  storage: Storage,
  step: { readonly snapshot: Snapshot; readonly parent: Snapshot; readonly leaving: Leaving },
): Promise<readonly string[]> {
  const known = step.leaving.known.released.get(step.snapshot["snapshot-id"]);
  if (known !== undefined) return known;
  const [before, after] = await Promise.all([step.parent, step.snapshot].map(async (snapshot) => {
    return await readPart(storage, snapshot["manifest-list"], decodeManifestList);
  })) as [ManifestFile[], ManifestFile[]];
  const left = await leftEntries(storage, after, step.snapshot["snapshot-id"]);
  const listed = new Set(after.map((manifest) => manifest.manifest_path));
  const manifests = before.map((manifest) => manifest.manifest_path).filter((uri) => !listed.has(uri));
  return [...new Set([...left, ...manifests])].map((uri) => storage.path(uri));
}

/** Files that a snapshot took out. A file of deletion vectors stays while one vector of it lives. */
async function leftEntries(storage: Storage, manifests: readonly ManifestFile[], id: bigint): Promise<Set<string>> {
  const isOwn = (manifest: ManifestFile) => manifest.added_snapshot_id === id && manifest.deleted_files_count > 0;
  const removesDeletes = manifests.some((manifest) => manifest.content === 1 && isOwn(manifest));
  const read = manifests.filter((manifest) => isOwn(manifest) || (removesDeletes && manifest.content === 1));
  const entries = (await Promise.all(read.map(async (manifest) => {
    return await readPart(storage, manifest.manifest_path, (bytes) => decodeManifest(bytes, manifest));
  }))).flat();
  const paths = (wanted: (entry: ManifestEntry) => boolean) =>
    new Set(entries.filter(wanted).map(({ file }) => file.file_path));
  return paths(({ status, snapshotId }) => status === 2 && snapshotId === id).difference(
    paths(({ status }) => status !== 2),
  );
}
