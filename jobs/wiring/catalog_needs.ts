/** What a job must be allowed to reach for its Iceberg catalog. */
import type { Need } from "../../lib/cli/permission.ts";
import { restUri } from "../../lib/table/iceberg/rest/configured_catalog.ts";
import type { CatalogSettings } from "./capture_settings.ts";

/** The hosts of the catalog and of who gives tokens for it. */
export function catalogNeeds(settings: CatalogSettings): Need[] {
  const uri = restUri(settings);
  if (uri === undefined) return [];
  const { icebergOauthUri } = settings;
  return [uri, ...icebergOauthUri === undefined ? [] : [icebergOauthUri]].map((each) => {
    const { hostname, port, protocol } = new URL(each);
    return { kind: "host", host: `${hostname}:${port || (protocol === "http:" ? "80" : "443")}` };
  });
}
