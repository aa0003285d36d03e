/**
 * Which manifests of the parent snapshot stay as they are, and what the new ones hold.
 *
 * Promise: a commit rewrites only manifests with an entry that leaves, and now and then the small ones, so that neither
 * their number nor the work of a commit grows with the number of commits before it: of a table of n files there are at most
 * `mergeFrom` manifests, and one more for every {@linkcode smallEntries} files.
 */
import type { ManifestEntry } from "./manifest.ts";
import type { ManifestFile } from "./manifest_list.ts";

/** Entries of one new manifest at most; about 1 MB. Larger tables spread over more manifests. */
const mostEntries = 2000;
/** A manifest with fewer is merged with others once there are enough of them; what is full is left alone. */
const smallEntries = mostEntries / 2;

/** The entries of one content (data or deletes) before and after a commit. */
export interface PlanRequest {
  readonly manifests: readonly ManifestFile[];
  /** Live entries of each manifest. */
  readonly live: ReadonlyMap<string, readonly ManifestEntry[]>;
  /** Entries that leave, by identity. */
  readonly leaving: ReadonlySet<ManifestEntry>;
  readonly added: readonly ManifestEntry[];
  readonly snapshotId: bigint;
  readonly mergeFrom: number;
  readonly targetBytes: number;
}

/** Manifests kept, and entries for each new one. */
export interface ManifestPlan {
  readonly kept: readonly ManifestFile[];
  readonly groups: readonly (readonly ManifestEntry[])[];
}

/** Plans the manifests of one content. */
export function planManifests(request: PlanRequest): ManifestPlan {
  const entriesOf = (manifest: ManifestFile) => request.live.get(manifest.manifest_path) ?? [];
  // One that holds nothing live any more is not listed again.
  const listed = request.manifests.filter((manifest) => entriesOf(manifest).length > 0);
  const touched = listed.filter((manifest) => entriesOf(manifest).some((entry) => request.leaving.has(entry)));
  const untouched = listed.filter((manifest) => !touched.includes(manifest));
  const small = untouched.filter((manifest) => isSmall(manifest, entriesOf(manifest).length, request.targetBytes));
  const merged = small.length + 1 >= request.mergeFrom ? small : [];
  const rewritten = [...merged, ...touched].flatMap(entriesOf).map((entry) => carried(entry, request));
  const groups = [];
  for (const entries of Map.groupBy([...rewritten, ...request.added], ({ specId }) => specId).values()) {
    for (let start = 0; start < entries.length; start += mostEntries) {
      groups.push(entries.slice(start, start + mostEntries));
    }
  }
  return { kept: untouched.filter((manifest) => !merged.includes(manifest)), groups };
}

/** Whether a manifest is merged with others once there are enough such. */
export function isSmall(manifest: ManifestFile, entries: number, targetBytes: number): boolean {
  return entries < smallEntries && manifest.manifest_length < BigInt(targetBytes);
}

function carried(entry: ManifestEntry, { leaving, snapshotId }: PlanRequest): ManifestEntry {
  return leaving.has(entry) ? { ...entry, status: 2, snapshotId } : { ...entry, status: 0 };
}
