/** Whether a job's permissions reach what its user named, asked before anything is done. */
import { resolve } from "node:path";
import { type Need, requirePermissions } from "../../lib/cli/permission.ts";
import type { CatalogSettings, ModelSettings, PlaceSettings } from "./capture_settings.ts";
import { modelNeeds } from "./embedding_model.ts";
import { catalogNeeds } from "./catalog_needs.ts";
import { needOf } from "./lake_place.ts";

/** A catalog, and the formats of a job: only Iceberg tables are kept in one. */
type UsedCatalog = CatalogSettings & { readonly formats: readonly string[] };

/** Asks for the lake's place, its catalog, the model, the source server and files to be read. Throws `configuration` with the command that reaches them. */
export async function requireReach(
  job: string,
  settings: PlaceSettings & { readonly postgresUrl?: string | undefined },
  { files = [], catalog, model }: {
    readonly files?: readonly string[];
    readonly catalog?: UsedCatalog;
    readonly model?: ModelSettings;
  } = {},
): Promise<void> {
  const needs: Need[] = [needOf(settings)];
  needs.push(...files.map((file): Need => ({ kind: "file", path: resolve(file) })));
  if (catalog?.formats.includes("iceberg")) needs.push(...catalogNeeds(catalog));
  if (model !== undefined) needs.push(...await modelNeeds(model));
  if (settings.postgresUrl !== undefined) {
    const { hostname, port } = new URL(settings.postgresUrl);
    needs.push({ kind: "host", host: `${hostname}:${port || "5432"}` });
  }
  requirePermissions(job, needs);
}
