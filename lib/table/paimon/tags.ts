/** Tags: names that keep a snapshot's files for as long as they are there (`tag/tag-<name>`, a copy of the snapshot). */
import { WeirError } from "../../errors.ts";
import type { Storage } from "../../storage/storage.ts";
import type { MetadataReader } from "./metadata_reader.ts";

/** Paimon takes a name of digits alone for a snapshot's id. */
const tagName = /^(?!\d+$)[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** A tag, and what it keeps. */
export interface Tag {
  readonly name: string;
  readonly snapshotId: bigint;
  /** When the snapshot was committed, epoch milliseconds. */
  readonly timeMs: number;
}

/** Names of the tags, sorted. */
export async function tagNames(reader: MetadataReader): Promise<readonly string[]> {
  const { tagFolder } = reader.layout;
  const paths = await reader.paths(tagFolder);
  return paths.map((path) => path.slice(tagFolder.length + 1)).filter((name) => name.startsWith("tag-"))
    .map((name) => name.slice("tag-".length)).sort();
}

/** The tags of a table. */
export async function listTags(reader: MetadataReader): Promise<readonly Tag[]> {
  const tags: Tag[] = [];
  for (const name of await tagNames(reader)) {
    const snapshot = await reader.tag(name);
    if (snapshot !== undefined) tags.push({ name, snapshotId: snapshot.id, timeMs: snapshot.timeMillis });
  }
  return tags;
}

/**
 * Makes a tag.
 *
 * @throws {RangeError} Where the name is none that every reader takes.
 * @throws {WeirError} `precondition` where the tag is there already or the snapshot is not.
 */
export async function createTag(
  reader: MetadataReader,
  tag: { readonly name: string; readonly snapshotId: bigint; readonly storage: Storage },
): Promise<void> {
  const { name, snapshotId, storage } = tag;
  if (!tagName.test(name)) {
    throw new RangeError(
      `Cannot name a tag ${JSON.stringify(name)}: expected letters, digits, "." "_" or "-", not digits alone`,
    );
  }
  const path = reader.layout.snapshot(snapshotId);
  const missing = () =>
    new WeirError("precondition", `Cannot tag snapshot ${snapshotId}: it is not there`, { detail: { path } });
  const bytes = await storage.read(path);
  if (bytes === undefined) throw missing();
  if (!await storage.putIfAbsent(reader.layout.tag(name), bytes)) {
    throw new WeirError("precondition", `A tag ${name} is there already`, {
      detail: { path: reader.layout.tag(name) },
    });
  }
  // An expiry that had looked at the tags before may have taken the snapshot's files.
  if (await storage.stat(path) !== undefined) return;
  await storage.delete(reader.layout.tag(name));
  throw missing();
}
