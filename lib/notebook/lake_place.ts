/** Where a lake is read from: a folder of this machine, or a bucket that is reached as the jobs reach it. */
import { join, resolve } from "node:path";
import { WeirError } from "../errors.ts";
import { bucketSettings } from "../settings/bucket_settings.ts";
import { catalogSettings } from "../settings/catalog_settings.ts";
import { settings } from "../settings/declarations.ts";
import { LocalStorage } from "../storage/local.ts";
import { bucketStorage } from "../storage/s3/bucket_storage.ts";
import { type ObjectLocation, objectLocation } from "../storage/s3/location.ts";
import type { Storage } from "../storage/storage.ts";
import { icebergCatalogOf } from "../table/iceberg/rest/configured_catalog.ts";
import type { RestCatalog } from "../table/iceberg/rest/rest_catalog.ts";
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

/** The catalog of that lake's Iceberg tables, where the settings name one; not yet asked for anything. */
export async function jobsCatalog(): Promise<RestCatalog | undefined> {
  return icebergCatalogOf(await projectSettings(catalogSettings));
}

/**
 * A lake for reading alone, whoever writes to it meanwhile.
 *
 * @param temporaryFolder Absolute; takes copies of a bucket's files.
 *
 * Throws `configuration` where it is empty, where there is no such folder, and where the environment and the project's `.env` have no keys for a bucket.
 */
export async function readPlace(lake: string, temporaryFolder: string): Promise<ReadPlace> {
  if (lake.trim() === "") {
    throw new WeirError("configuration", "The place of the lake to open is empty", {
      advice: "Give its folder or bucket, or leave lake out for the lake of the jobs",
    });
  }
  const location = objectLocation(lake);
  if (location !== undefined) return { storage: await bucketOf(location, temporaryFolder), folders: [] };
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

async function bucketOf(location: ObjectLocation, temporaryFolder: string): Promise<Storage> {
  return bucketStorage(await projectSettings(bucketSettings), {
    location,
    cacheFolder: join(temporaryFolder, "files"),
  });
}
