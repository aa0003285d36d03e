/**
 * Puts a staged commit in the file-system layout: manifests, manifest list, then `v<N+1>.metadata.json` if it is absent.
 *
 * Promise: until the metadata is put nothing is visible; afterwards everything is. What a lost race had written is removed;
 * after an unknown outcome nothing is.
 */
import type { CommitResult } from "../../change/sink.ts";
import { failPoint } from "../../fail_point.ts";
import type { Storage } from "../../storage/storage.ts";
import { hintPath, metadataPath, readMetadata } from "./metadata_file.ts";
import { ownProperties } from "./properties.ts";
import type { IcebergStaged } from "./stage_commit.ts";
import type { StagedFile } from "./stage_snapshot.ts";

/** A table's folder in a storage. */
export interface CommitPlace {
  readonly storage: Storage;
  readonly folder: string;
}

/** Puts a commit. Never throws for what storage does: every ending is a value. */
export async function putCommit(place: CommitPlace, staged: IcebergStaged): Promise<CommitResult> {
  const { storage } = place;
  try {
    if (await storage.stat(staged.basePath) === undefined) return { outcome: "conflict" };
    await putParts(storage, staged);
  } catch (cause) {
    await removeParts(storage, staged);
    return { outcome: "retryable", cause };
  }
  try {
    const made = await storage.putIfAbsent(staged.metadata.path, staged.metadata.bytes);
    if (!made && !await isOurs(place, staged)) {
      await removeParts(storage, staged);
      return { outcome: "conflict" };
    }
    await failPoint("iceberg.afterCommit");
  } catch (cause) {
    return { outcome: "unknown", cause };
  }
  await tidyUp(place, staged);
  return { outcome: "committed", snapshotId: staged.next.snapshotId ?? 0n, rows: staged.next.rows };
}

/** Puts manifests and manifest list: everything but the version that makes them visible. */
export async function putParts(storage: Storage, staged: IcebergStaged): Promise<void> {
  await Promise.all(staged.manifests.map((file) => putPart(storage, file)));
  await failPoint("iceberg.afterManifests");
  if (staged.manifestList !== undefined) await putPart(storage, staged.manifestList);
  await failPoint("iceberg.afterManifestList");
  await failPoint("iceberg.beforeCommit");
}

/** A name made for this commit alone: one that is there already is our own earlier try. */
async function putPart(storage: Storage, file: StagedFile): Promise<void> {
  await storage.putIfAbsent(file.path, file.bytes);
}

/** Removes what {@linkcode putParts} put, once it is certain that no version will name it. */
export async function removeParts(storage: Storage, staged: IcebergStaged): Promise<void> {
  const parts = [...staged.manifests, ...staged.manifestList === undefined ? [] : [staged.manifestList]];
  for (const { path } of parts) await storage.delete(path).catch(() => {});
}

/** Whether the version a commit wanted to put is this very commit. */
async function isOurs({ storage }: CommitPlace, staged: IcebergStaged): Promise<boolean> {
  const found = await readMetadata(storage, staged.metadata.path);
  return found?.properties[ownProperties.commitId] === staged.commitId;
}

/** The hint and old metadata only save work: failing here is not a failed commit. */
async function tidyUp({ storage, folder }: CommitPlace, staged: IcebergStaged): Promise<void> {
  try {
    await storage.put(hintPath(folder), new TextEncoder().encode(String(staged.next.version)));
    await failPoint("iceberg.afterHint");
    for (const path of staged.expired) await storage.delete(path);
  } catch {
    // The next commit writes the hint again; a metadata file left over is found by orphan removal.
  }
}

/** Whether a commit of unknown outcome is in the table's history. */
export async function isInHistory(place: CommitPlace, staged: IcebergStaged, newest: number): Promise<boolean> {
  if (await isOurs(place, staged)) return true;
  if (staged.snapshotId === undefined) return false;
  // The version itself may have been removed since; its snapshot stays listed far longer.
  const metadata = await readMetadata(place.storage, metadataPath(place.folder, newest));
  return metadata?.snapshots.some((snapshot) => snapshot["snapshot-id"] === staged.snapshotId) ?? false;
}
