/** The files that snapshots refer to. */
import type { Storage } from "../../storage/storage.ts";
import { decodeManifest } from "./manifest.ts";
import { decodeManifestList, type ManifestFile } from "./manifest_list.ts";
import type { Snapshot, TableMetadata } from "./metadata.ts";
import { hintPath, metadataPath, readPart } from "./metadata_file.ts";
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

/** Everything that a version of a table needs: its snapshots' files, metadata files that its log names, statistics, the hint. */
export async function referencedFiles(
  { storage, folder }: { readonly storage: Storage; readonly folder: string },
  { metadata, metadataUri, version }: IcebergState,
): Promise<Set<string>> {
  const paths = await reachableFiles(storage, metadata.snapshots);
  const log = metadata["metadata-log"].map((entry) => entry["metadata-file"]);
  for (const uri of [...log, ...statisticsFiles(metadata).values()]) paths.add(storage.path(uri));
  if (metadataUri !== undefined) return paths.add(storage.path(metadataUri));
  return paths.add(metadataPath(folder, version)).add(hintPath(folder));
}

/** Statistics files that other writers made, with the snapshot that each is about. */
export function statisticsFiles(metadata: TableMetadata): Map<StatisticsFile, string> {
  const files = [...metadata.statistics ?? [], ...metadata["partition-statistics"] ?? []];
  return new Map(files.map((file) => [file, file["statistics-path"]]));
}

type StatisticsFile = NonNullable<TableMetadata["statistics"]>[number];
