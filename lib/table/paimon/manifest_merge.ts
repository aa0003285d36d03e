/**
 * Keeping the number of manifests small over thousands of commits. Manifests of one size class are rewritten as one once
 * there are enough of them, so each entry is rewritten a logarithmic number of times (Paimon merges by size as well, but
 * rewrites all small manifests at once).
 */
import type { ManifestMeta } from "./manifest.ts";

/** Manifests of one size class that are merged into one. */
export const mergeWidth = 30;
/** Entries of a manifest that is left as it is: about Paimon's target of 8 MB. */
export const fullManifestEntries = 8_000;
/** Share of deletions among the entries from which on everything is rewritten: most of it cancels. */
const deadShare = 0.25;

/** The manifests a commit should rewrite as one, or none. */
export function mergeCandidates(manifests: readonly ManifestMeta[]): readonly ManifestMeta[] {
  const added = manifests.reduce((sum, meta) => sum + Number(meta._NUM_ADDED_FILES), 0);
  const deleted = manifests.reduce((sum, meta) => sum + Number(meta._NUM_DELETED_FILES), 0);
  if (deleted >= mergeWidth && deleted > deadShare * (added + deleted)) return manifests;
  const open = manifests.filter((meta) => entriesOf(meta) < fullManifestEntries);
  const classes = Map.groupBy(open, sizeClass);
  for (const [, members] of [...classes].sort(([left], [right]) => left - right)) {
    if (members.length >= mergeWidth) return members;
  }
  return [];
}

function entriesOf(meta: ManifestMeta): number {
  return Number(meta._NUM_ADDED_FILES + meta._NUM_DELETED_FILES);
}

/** 0 below 30 entries, 1 below 900, 2 below 27,000. */
function sizeClass(meta: ManifestMeta): number {
  return Math.floor(Math.log(Math.max(1, entriesOf(meta))) / Math.log(mergeWidth) + 1e-9);
}
