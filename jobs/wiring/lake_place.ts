/** Where a lake is, and what it takes to write there: a folder of this machine, or a prefix of a bucket. */
import { join, resolve } from "node:path";
import type { Need } from "../../lib/cli/permission.ts";
import { WeirError } from "../../lib/errors.ts";
import { type LakeWork, lockLake } from "../../lib/storage/lake_lock.ts";
import { LocalStorage } from "../../lib/storage/local.ts";
import { refusesSecondPut } from "../../lib/storage/put_probe.ts";
import { bucketAddress, bucketStorage } from "../../lib/storage/s3/bucket_storage.ts";
import { bucketHost } from "../../lib/storage/s3/client.ts";
import { locationUri, type ObjectLocation, objectLocation } from "../../lib/storage/s3/location.ts";
import type { Storage } from "../../lib/storage/storage.ts";
import { leaseLake } from "../../lib/storage/writer_lease.ts";
import type { PlaceSettings } from "./capture_settings.ts";

/** A lake that this process alone writes to, or maintains. Disposing lets others. */
export interface LakePlace extends AsyncDisposable {
  readonly storage: Storage;
  /** Folders that the engine reads and writes, beside the state folder. */
  readonly folders: readonly string[];
}

/**
 * Opens a lake for writing, or for maintenance beside its writer.
 *
 * @param place.stateFolder The lake's own folder of run-time state for this work, absolute.
 * @param place.work Default: it is written to.
 *
 * Throws `fenced` where another process does the same to it, `precondition` where its store cannot be used.
 */
export async function openPlace(
  settings: PlaceSettings,
  { stateFolder, work = "writes to" }: { readonly stateFolder: string; readonly work?: LakeWork },
): Promise<LakePlace> {
  const location = objectLocation(settings.lake);
  if (location !== undefined) return await openBucket(settings, { location, stateFolder, work });
  const folder = resolve(settings.lake);
  const lock = await lockLake(folder, { work });
  return {
    storage: new LocalStorage(folder),
    folders: [folder],
    [Symbol.asyncDispose]: () => Promise.resolve(lock[Symbol.dispose]()),
  };
}

/**
 * A lake for reading alone, whoever writes to it meanwhile.
 *
 * @param stateFolder A folder of this process's own, absolute.
 */
export function readPlace(settings: PlaceSettings, stateFolder: string): Pick<LakePlace, "storage" | "folders"> {
  const location = objectLocation(settings.lake);
  if (location !== undefined) return { storage: bucketOf(settings, { location, stateFolder }), folders: [] };
  const folder = resolve(settings.lake);
  return { storage: new LocalStorage(folder), folders: [folder] };
}

/**
 * Tries out whether a lake can be written to, and whether its place refuses to put what is there; whoever writes to it meanwhile.
 *
 * Throws what {@linkcode openPlace} throws, and `storage`.
 */
export async function probePlace(settings: PlaceSettings, stateFolder: string): Promise<void> {
  const location = objectLocation(settings.lake);
  if (location !== undefined) return await bucketOf(settings, { location, stateFolder }).probe();
  const folder = resolve(settings.lake);
  if (await refusesSecondPut(new LocalStorage(folder))) return;
  throw new WeirError("precondition", "The file system does not refuse to link a file to a name that is taken", {
    detail: { path: folder },
    advice: "Give a --lake on another file system: two writers could take the same table version here",
  });
}

/**
 * A lake for maintenance: one process at a time does it, beside the lake's writer; to plan it, reading is enough.
 *
 * @param place.stateFolder The lake's own folder of run-time state for this work, absolute. `workFolder` is that, or is in it.
 *
 * Throws `fenced` where another process maintains it, `configuration` where its folder does not exist.
 */
export async function maintainedPlace(
  settings: PlaceSettings & { readonly dryRun: boolean },
  { stateFolder }: { readonly stateFolder: string },
): Promise<LakePlace & { readonly workFolder: string }> {
  if (objectLocation(settings.lake) === undefined) await requireFolder(settings.lake);
  if (!settings.dryRun) {
    return { ...await openPlace(settings, { stateFolder, work: "maintains" }), workFolder: stateFolder };
  }
  // Of its own: several may look at once, beside one that works.
  const workFolder = join(stateFolder, `plan-${crypto.randomUUID()}`);
  return {
    ...readPlace(settings, workFolder),
    workFolder,
    [Symbol.asyncDispose]: () => Deno.remove(workFolder, { recursive: true }).catch(ignoreMissing),
  };
}

async function requireFolder(lake: string): Promise<void> {
  if ((await Deno.stat(lake).catch(ignoreMissing))?.isDirectory) return;
  throw new WeirError("configuration", `There is no lake in ${lake}`, {
    detail: { path: resolve(lake) },
    advice: "Give the folder that the job writes to as --lake",
  });
}

/** What a job must be allowed to reach for its lake. */
export function needOf(settings: PlaceSettings): Need {
  const location = objectLocation(settings.lake);
  if (location === undefined) return { kind: "folder", path: resolve(settings.lake) };
  return { kind: "host", host: bucketHost(bucketAddress(settings, location)) };
}

/** Below a lake: its spelling stays the user's. */
export function below(lake: string, name: string): string {
  const location = objectLocation(lake);
  return location === undefined ? join(lake, name) : `${locationUri(location)}/${name}`;
}

interface BucketPlace {
  readonly location: ObjectLocation;
  readonly stateFolder: string;
}

async function openBucket(
  settings: PlaceSettings,
  place: BucketPlace & { readonly work: LakeWork },
): Promise<LakePlace> {
  const { location, stateFolder, work } = place;
  await using open = new AsyncDisposableStack();
  // Of this machine only one process may use the state folder; the lease is for the others.
  open.use(await lockLake(stateFolder, { work, lake: locationUri(location) }));
  await Deno.remove(cacheFolder(stateFolder), { recursive: true }).catch(ignoreMissing);
  const storage = bucketOf(settings, place);
  await storage.probe();
  open.use(await leaseLake(storage, { writer: await writerName(stateFolder), work }));
  const kept = open.move();
  return { storage, folders: [], [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

function bucketOf(settings: PlaceSettings, { location, stateFolder }: BucketPlace) {
  return bucketStorage(settings, { location, cacheFolder: cacheFolder(stateFolder) });
}

function cacheFolder(stateFolder: string): string {
  return join(stateFolder, "files");
}

/** A name that stays with the state folder. */
async function writerName(stateFolder: string): Promise<string> {
  const path = join(stateFolder, "writer_name");
  const known = await Deno.readTextFile(path).catch(ignoreMissing);
  if (known) return known;
  const name = crypto.randomUUID();
  await Deno.writeTextFile(path, name);
  return name;
}

/** For what may not be there. */
export function ignoreMissing(thrown: unknown): undefined {
  if (!(thrown instanceof Deno.errors.NotFound)) throw thrown;
}
