/** Deleting the files that no version within the retention needs (Delta documentation, "Vacuum"). */
import { fileUse, keptSince } from "./expiry.ts";
import type { TablePlace } from "./load_state.ts";
import type { DeltaState } from "./state.ts";

/** What a vacuum may do. */
export interface VacuumOptions {
  /** Default true: files are named and stay. */
  readonly dryRun?: boolean;
}

/** What a vacuum found. */
export interface VacuumReport {
  /** Below the storage root. */
  readonly paths: readonly string[];
  readonly bytes: number;
  readonly isDryRun: boolean;
}

/**
 * Deletes data files and deletion vectors that nothing refers to and that are older than the table's
 * `delta.deletedFileRetentionDuration`: files of removed rows, and what writers left behind that were stopped. A younger file
 * may belong to a commit that is on its way, or to a version that somebody reads.
 */
export async function vacuumTable(
  place: TablePlace,
  state: DeltaState,
  { dryRun = true }: VacuumOptions,
): Promise<VacuumReport> {
  const since = keptSince(state);
  const { needed } = await fileUse(place, state, since);
  const paths: string[] = [];
  let bytes = 0;
  for await (const found of place.storage.list(place.folder)) {
    const names = found.path.slice(place.folder.length + 1).split("/");
    const isHidden = names.some((name) => /^[_.][^=]*$/.test(name));
    if (isHidden || found.modifiedMs >= since.files || needed.has(found.path)) continue;
    paths.push(found.path);
    bytes += found.bytes;
  }
  if (!dryRun) { for (const path of paths) await place.storage.delete(path); }
  return { paths, bytes, isDryRun: dryRun };
}
