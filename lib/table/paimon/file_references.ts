/** Which files of a table its snapshots and tags refer to. */
import { WeirError } from "../../errors.ts";
import { emptyRow } from "./binary_row.ts";
import { foreignFolders } from "./layout.ts";
import { entryKind, type ManifestEntry, type ManifestMeta, mergeEntries } from "./manifest.ts";
import type { MetadataReader } from "./metadata_reader.ts";
import { Partitioning, unpartitioned } from "./partitioning.ts";
import type { Snapshot } from "./snapshot.ts";
import { tagNames } from "./tags.ts";

/** Files read at the same time: enough to hide the latency of an object store. */
const width = 32;

/** Does something for each of many, some at a time, in order. */
export async function eachOf<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (let start = 0; start < items.length; start += width) {
    results.push(...await Promise.all(items.slice(start, start + width).map(work)));
  }
  return results;
}

/** Paths of data files and what stands beside them. A file's folder is called as its own schema says. */
export async function dataPaths(
  reader: MetadataReader,
  entries: readonly ManifestEntry[],
): Promise<readonly string[]> {
  const partitionings = new Map<bigint, Partitioning>();
  for (const { _PARTITION, _FILE: { _SCHEMA_ID: id } } of entries) {
    if (_PARTITION.length === emptyRow.length || partitionings.has(id)) continue;
    partitionings.set(id, new Partitioning(await reader.requiredSchema(Number(id))));
  }
  return entries.flatMap(({ _PARTITION, _BUCKET, _FILE }) => {
    if (_FILE._EXTERNAL_PATH != null) return [reader.externalPath(_FILE._EXTERNAL_PATH)];
    const place = (partitionings.get(_FILE._SCHEMA_ID) ?? unpartitioned).place(_PARTITION, _BUCKET);
    return [_FILE._FILE_NAME, ..._FILE._EXTRA_FILES].map((name) => reader.layout.data(place, name));
  });
}

/** Paths of a snapshot's manifest lists and manifests. */
export async function metadataPaths(reader: MetadataReader, snapshot: Snapshot): Promise<readonly string[]> {
  const manifests = await reader.manifestsOf(snapshot);
  const names = [snapshot.baseManifestList, snapshot.deltaManifestList, ...manifests.map((meta) => meta._FILE_NAME)];
  const paths = names.map((name) => reader.layout.manifest(name));
  const { indexManifest } = snapshot.carried;
  if (typeof indexManifest !== "string") return paths;
  const indexes = await reader.indexManifest(indexManifest);
  return [
    ...paths,
    reader.layout.manifest(indexManifest),
    ...indexes.map((entry) => reader.layout.index(entry._FILE_NAME)),
  ];
}

/** Paths of all files of one snapshot: metadata and data. */
export async function snapshotPaths(reader: MetadataReader, snapshot: Snapshot): Promise<ReadonlySet<string>> {
  const entries = await entriesOf(reader, await reader.manifestsOf(snapshot));
  const data = await dataPaths(reader, mergeEntries(entries));
  return new Set([...await metadataPaths(reader, snapshot), ...data]);
}

/** Paths of all files that any tag keeps. `known` remembers them: what a tag refers to never changes. */
export async function taggedPaths(
  reader: MetadataReader,
  known: Map<string, ReadonlySet<string>>,
): Promise<ReadonlySet<string>> {
  const paths = new Set<string>();
  for (const name of await tagNames(reader)) {
    const snapshot = await reader.tag(name);
    if (snapshot === undefined) continue;
    const id = `${name} ${snapshot.id} ${snapshot.baseManifestList}`;
    const found = known.get(id) ?? await snapshotPaths(reader, snapshot);
    known.set(id, found);
    for (const path of found) paths.add(path);
    paths.add(reader.layout.tag(name));
  }
  return paths;
}

/**
 * Refuses a table of which another writer has made branches: they refer to its files in a way of their own.
 *
 * @throws {WeirError} `precondition`.
 */
export async function assertNoBranches(reader: MetadataReader): Promise<void> {
  const path = reader.layout.foreign("branch");
  if ((await reader.paths(path)).length === 0) return;
  throw new WeirError("precondition", `Cannot tell which files the branches below ${path} refer to`, {
    detail: { path },
    advice: "Expire and clean with the tool that made the branches, or drop them",
  });
}

/**
 * Every file that a snapshot or a tag refers to, the snapshots themselves, schemas, hints, and whatever stands in folders
 * that only others write. Data files are those of the oldest snapshot and what later ones added.
 *
 * @throws {WeirError} `precondition` where the table has branches.
 */
export async function referencedPaths(
  reader: MetadataReader,
  options: { readonly newest: bigint | undefined; readonly known: Map<string, ReadonlySet<string>> },
): Promise<ReadonlySet<string>> {
  const { layout } = reader;
  await assertNoBranches(reader);
  const paths = new Set([layout.latestHint, layout.earliestHint, ...await taggedPaths(reader, options.known)]);
  const folders = [layout.schemaFolder, ...foreignFolders.map(layout.foreign)];
  for (const found of await eachOf(folders, (folder) => reader.paths(folder))) {
    for (const path of found) paths.add(path);
  }
  const earliest = await reader.earliestSnapshotId();
  if (options.newest === undefined || earliest === undefined) return paths;
  const ids: bigint[] = [];
  for (let id = earliest; id <= options.newest; id++) ids.push(id);
  for (const found of await eachOf(ids, (id) => pathsAddedBy(reader, { id, earliest }))) {
    for (const path of found) paths.add(path);
  }
  return paths;
}

async function pathsAddedBy(
  reader: MetadataReader,
  { id, earliest }: { readonly id: bigint; readonly earliest: bigint },
): Promise<readonly string[]> {
  const snapshot = await reader.snapshot(id);
  if (snapshot === undefined) return [];
  if (id === earliest) return [reader.layout.snapshot(id), ...await snapshotPaths(reader, snapshot)];
  const delta = await reader.manifestList(snapshot.deltaManifestList);
  const added = (await entriesOf(reader, delta.filter(({ _NUM_ADDED_FILES }) => _NUM_ADDED_FILES > 0n)))
    .filter(({ _KIND }) => _KIND === entryKind.add);
  const data = await dataPaths(reader, added);
  return [reader.layout.snapshot(id), ...await metadataPaths(reader, snapshot), ...data];
}

async function entriesOf(
  reader: MetadataReader,
  manifests: readonly ManifestMeta[],
): Promise<readonly ManifestEntry[]> {
  return (await eachOf(manifests, (meta) => reader.manifest(meta))).flat();
}
