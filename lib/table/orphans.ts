/**
 * Files of a table that nothing refers to: what attempts left behind that were stopped.
 *
 * Promise: a file that a kept snapshot, tag or branch refers to is never named, nor one young enough to belong to a commit that
 * is still under way.
 */
import type { Storage, StoredObject } from "../storage/storage.ts";

/** Where to look. */
export interface OrphanSearch {
  /** The table's folder below the storage root. */
  readonly folder: string;
  /** Every path that is referred to. Asked after the folder was listed. */
  readonly referenced: () => Promise<ReadonlySet<string>>;
  /** Only files last changed before this, epoch milliseconds. */
  readonly before: number;
}

/** The orphans of a table, in path order. */
export async function findOrphans(storage: Storage, search: OrphanSearch): Promise<readonly StoredObject[]> {
  const old: StoredObject[] = [];
  for await (const object of storage.list(search.folder)) {
    if (object.modifiedMs < search.before) old.push(object);
  }
  const referenced = await search.referenced();
  return old.filter(({ path }) => !referenced.has(path));
}
