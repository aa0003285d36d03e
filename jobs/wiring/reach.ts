/** Whether a job's permissions reach what its user named, asked before anything is done. */
import { resolve } from "node:path";
import { type Need, requirePermissions } from "../../lib/cli/permission.ts";
import type { PlaceSettings } from "./capture_settings.ts";
import { needOf } from "./lake_place.ts";

/** Asks for the lake's place, the source server and files to be read. Throws `configuration` with the command that reaches them. */
export async function requireReach(
  job: string,
  settings: PlaceSettings & { readonly postgresUrl?: string | undefined },
  { files = [] }: { readonly files?: readonly string[] } = {},
): Promise<void> {
  const needs: Need[] = [needOf(settings)];
  needs.push(...files.map((file): Need => ({ kind: "file", path: resolve(file) })));
  if (settings.postgresUrl !== undefined) {
    const { hostname, port } = new URL(settings.postgresUrl);
    needs.push({ kind: "host", host: `${hostname}:${port || "5432"}` });
  }
  await requirePermissions(job, needs);
}
