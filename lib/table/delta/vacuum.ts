/** Deleting the files that no version within the retention needs (Delta documentation, "Vacuum"). */
import { vectorPath } from "./deletion_vectors.ts";
import { readRemoved } from "./checkpoint_rows.ts";
import { filePath, type TablePlace } from "./load_state.ts";
import { durationMs } from "./properties.ts";
import type { DeltaState } from "./state.ts";
import { removedSince } from "./write_checkpoint.ts";
import type { AddFile } from "./actions.ts";

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
  const oldest = Date.now() - durationMs(state.metadata, "fileRetention");
  const needed = await neededPaths(place, { state, oldest });
  const paths: string[] = [];
  let bytes = 0;
  for await (const found of place.storage.list(place.folder)) {
    const names = found.path.slice(place.folder.length + 1).split("/");
    const isHidden = names.some((name) => name.startsWith("_") || name.startsWith("."));
    if (isHidden || found.modifiedMs >= oldest || needed.has(found.path)) continue;
    paths.push(found.path);
    bytes += found.bytes;
  }
  if (!dryRun) { for (const path of paths) await place.storage.delete(path); }
  return { paths, bytes, isDryRun: dryRun };
}

/** Files of the newest version, and those that were removed within the retention. */
async function neededPaths(
  place: TablePlace,
  { state, oldest }: { readonly state: DeltaState; readonly oldest: number },
): Promise<ReadonlySet<string>> {
  const earlier = state.checkpoint === undefined ? [] : await readRemoved(place, state.checkpoint);
  const removed = [...earlier.flatMap(({ remove }) => remove ?? []), ...(await removedSince(place, state)).values()];
  const recent = removed.filter(({ deletionTimestamp = 0 }) => deletionTimestamp >= oldest);
  const pathsOf = ({ path, deletionVector }: Pick<AddFile, "path" | "deletionVector">) => {
    const vector = deletionVector && vectorPath(place, deletionVector);
    return [filePath(place, path), ...(vector === undefined ? [] : [vector])];
  };
  return new Set([...[...state.files.values()].map(({ add }) => add), ...recent].flatMap(pathsOf));
}
