/** Checks of the place of the lake, and of the catalog that keeps its versions. */
import { join, resolve } from "node:path";
import { objectLocation } from "../../../lib/storage/s3/location.ts";
import type { CatalogSettings, PlaceSettings } from "../capture_settings.ts";
import { icebergCatalogOf } from "../../../lib/table/iceberg/rest/configured_catalog.ts";
import { placeName } from "../../../lib/storage/lake_name.ts";
import { probePlace } from "../lake_place.ts";
import { stateFolder } from "../../../lib/settings/state_folder.ts";
import { type Finding, ok } from "./finding.ts";
import { folderFinding } from "./machine.ts";

/** Whether the lake's place is there, has room, and lets one of two writers win. An object of ours is put there and removed. */
export async function lakeFindings(settings: PlaceSettings): Promise<readonly Finding[]> {
  const isFolder = objectLocation(settings.lake) === undefined;
  const folder = isFolder ? [await folderFinding("lake", settings.lake)] : [];
  if (folder.some(({ verdict }) => verdict === "wrong")) return folder;
  await probePlace(settings, join(resolve(stateFolder), "doctor"));
  return [
    ...folder,
    ok("lake", `${isFolder ? settings.lake : placeName(settings.lake)} refuses to put an object that is there`),
  ];
}

/** Whether the REST catalog answers, where one is used. */
export async function catalogFindings(settings: CatalogSettings): Promise<readonly Finding[]> {
  const catalog = icebergCatalogOf(settings);
  if (catalog === undefined) return [ok("catalog", "versions of Iceberg tables are files beside them")];
  await catalog.connect();
  return [ok("catalog", `${settings.icebergRestUri} answers`)];
}
