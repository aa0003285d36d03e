/** Where a lake is read from: a folder of this machine, or a bucket that is reached as the jobs reach it. */
import { join, resolve } from "node:path";
import { WeirError } from "../errors.ts";
import { settings } from "../settings/declarations.ts";
import { LocalStorage } from "../storage/local.ts";
import { credentialsOf } from "../storage/s3/credentials.ts";
import { type ObjectLocation, objectLocation } from "../storage/s3/location.ts";
import { S3Storage } from "../storage/s3/s3_storage.ts";
import type { Storage } from "../storage/storage.ts";
import { projectFolder, projectSettings } from "./project.ts";

/** A lake to be read. */
export interface ReadPlace {
  readonly storage: Storage;
  /** Folders that the engine reads. */
  readonly folders: readonly string[];
}

/** The lake that the jobs write to: as `WEIR_LAKE` of the environment or of the project's `.env` says, else `data/lake` in its folder. */
export async function jobsLake(): Promise<string> {
  const { lake } = await projectSettings({ lake: settings.lake });
  return objectLocation(lake) === undefined ? resolve(projectFolder(), lake) : lake;
}

/**
 * A lake for reading alone, whoever writes to it meanwhile.
 *
 * @param temporaryFolder Absolute; takes copies of a bucket's files.
 *
 * Throws `configuration` where there is no such folder, and where the environment and the project's `.env` have no keys for a bucket.
 */
export async function readPlace(lake: string, temporaryFolder: string): Promise<ReadPlace> {
  const location = objectLocation(lake);
  if (location !== undefined) return { storage: await bucketStorage(location, temporaryFolder), folders: [] };
  const folder = resolve(lake);
  const info = await Deno.stat(folder).catch((thrown) => {
    if (!(thrown instanceof Deno.errors.NotFound)) throw thrown;
  });
  if (!info?.isDirectory) {
    throw new WeirError("configuration", `There is no lake in ${folder}`, {
      detail: { path: folder },
      advice:
        'Run deno task pipeline, or await startJob("pipeline").outcome() in a cell, to fill the lake of the jobs; ' +
        "or give the folder that a job writes to (a relative one counts from the working directory, which for a " +
        "notebook is its own folder)",
    });
  }
  return { storage: new LocalStorage(folder), folders: [folder] };
}

async function bucketStorage(location: ObjectLocation, temporaryFolder: string): Promise<S3Storage> {
  const { s3Endpoint, s3Region, s3Addressing, lakeCacheBytes } = settings;
  const { awsAccessKeyId, awsSecretAccessKey, awsSessionToken } = settings;
  const declared = { s3Endpoint, s3Region, s3Addressing, lakeCacheBytes };
  const keys = { awsAccessKeyId, awsSecretAccessKey, awsSessionToken };
  const given = await projectSettings({ ...declared, ...keys });
  return new S3Storage({
    region: given.s3Region,
    ...(given.s3Endpoint === undefined ? {} : { endpoint: given.s3Endpoint }),
    ...(given.s3Addressing === "auto" ? {} : { addressing: given.s3Addressing }),
    location,
    credentials: credentialsOf(given),
    cacheFolder: join(temporaryFolder, "files"),
    cacheBytes: given.lakeCacheBytes,
  });
}
