/** The files that snapshots refer to. */
import type { Storage } from "../../storage/storage.ts";
import { decodeManifest } from "./manifest.ts";
import { decodeManifestList, type ManifestFile } from "./manifest_list.ts";
import type { Snapshot, TableMetadata } from "./metadata.ts";
import { hintPath, metadataPath, readPart } from "./metadata_file.ts";
import type { StagePlace } from "./stage_commit.ts";
import type { IcebergState } from "./state.ts";

/** Files read at the same time. */
const readsAtOnce = 16;

/**
 * Manifest lists, manifests, data and delete files of snapshots, as paths below the storage root. Each manifest is read once.
 *
 * @throws {WeirError} `tableUnreadable` naming the file that is damaged or missing.
 */
export async function reachableFiles(storage: Storage, snapshots: Iterable<Snapshot>): Promise<Set<string>> {
  const paths = new Set<string>();
  const manifests = new Map<string, ManifestFile>();
  await inTurns(snapshots, async (snapshot) => {
    paths.add(storage.path(snapshot["manifest-list"]));
    const lines = await readPart(storage, snapshot["manifest-list"], decodeManifestList);
    for (const line of lines) manifests.set(line.manifest_path, line);
  });
  await inTurns(manifests.values(), async (manifest) => {
    paths.add(storage.path(manifest.manifest_path));
    const entries = await readPart(storage, manifest.manifest_path, (bytes) => decodeManifest(bytes, manifest));
    for (const { status, file } of entries) if (status !== 2) paths.add(storage.path(file.file_path));
  });
  return paths;
}

async function inTurns<T>(items: Iterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  const remaining = items[Symbol.iterator]();
  const worker = async () => {
    for (let next = remaining.next(); !next.done; next = remaining.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: readsAtOnce }, worker));
}

/** Everything that a version of a table needs: its snapshots' files, statistics, and metadata files. */
export async function referencedFiles(place: StagePlace, state: IcebergState): Promise<Set<string>> {
  const { metadata } = state;
  const paths = await reachableFiles(place.storage, metadata.snapshots);
  for (const uri of statisticsFiles(metadata).values()) paths.add(place.storage.path(uri));
  for await (const path of metadataFiles(place, state)) paths.add(path);
  return paths;
}

/** The newest metadata file, those that its log names, and the hint. Those of a catalog service are all its own business. */
async function* metadataFiles(
  { storage, folder, isService = false }: StagePlace,
  { metadata, version }: IcebergState,
): AsyncIterable<string> {
  if (!isService) {
    for (const entry of metadata["metadata-log"]) yield storage.path(entry["metadata-file"]);
    yield* [metadataPath(folder, version), hintPath(folder)];
    return;
  }
  for await (const { path } of storage.list(`${folder}/metadata`)) if (path.endsWith(".metadata.json")) yield path;
}

/** Statistics files that other writers made, with the snapshot that each is about. */
export function statisticsFiles(metadata: TableMetadata): Map<StatisticsFile, string> {
  const files = [...metadata.statistics ?? [], ...metadata["partition-statistics"] ?? []];
  return new Map(files.map((file) => [file, file["statistics-path"]]));
}

type StatisticsFile = NonNullable<TableMetadata["statistics"]>[number];
