/** Whether a job's permissions reach what its user named, asked before anything is done. */
import { resolve } from "node:path";
import { type Need, requirePermissions } from "../../lib/cli/permission.ts";
import type { CatalogSettings, PlaceSettings } from "./capture_settings.ts";
import { catalogNeeds } from "./iceberg_catalog.ts";
import { needOf } from "./lake_place.ts";

/** A catalog, and the formats of a job: only Iceberg tables are kept in one. */
type UsedCatalog = CatalogSettings & { readonly formats: readonly string[] };

/** Asks for the lake's place, its catalog, the source server and files to be read. Throws `configuration` with the command that reaches them. */
export async function requireReach(
  job: string,
  settings: PlaceSettings & { readonly postgresUrl?: string | undefined },
  { files = [], catalog }: { readonly files?: readonly string[]; readonly catalog?: UsedCatalog } = {},
): Promise<void> {
  const needs: Need[] = [needOf(settings)];
  needs.push(...files.map((file): Need => ({ kind: "file", path: resolve(file) })));
  if (catalog?.formats.includes("iceberg")) needs.push(...catalogNeeds(catalog));
  if (settings.postgresUrl !== undefined) {
    const { hostname, port } = new URL(settings.postgresUrl);
    needs.push({ kind: "host", host: `${hostname}:${port || "5432"}` });
  }
  await requirePermissions(job, needs);
}
