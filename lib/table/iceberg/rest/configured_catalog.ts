/** The Iceberg REST catalog that settings describe, if any. */
import { WeirError } from "../../../errors.ts";
import { clientCredential, type RestCredentials } from "./authorization.ts";
import { RestCatalog } from "./rest_catalog.ts";

/** What of the settings is about the catalog. */
export interface CatalogSettings {
  readonly icebergCatalog: "file" | "rest";
  readonly icebergRestUri: string | undefined;
  readonly icebergWarehouse: string | undefined;
  readonly icebergOauthUri: string | undefined;
  readonly icebergOauthScope: string;
  readonly icebergRestToken: string | undefined;
  readonly icebergRestCredential: string | undefined;
}

/**
 * The catalog, not yet asked for anything; undefined where versions are files beside the tables. Mirrors need it too.
 *
 * Throws `configuration` where what was given does not go together.
 */
export function icebergCatalogOf(settings: CatalogSettings): RestCatalog | undefined {
  const uri = restUri(settings);
  if (uri === undefined) return undefined;
  const { icebergWarehouse: warehouse } = settings;
  return new RestCatalog({
    uri,
    credentials: credentialsOf(settings),
    ...(warehouse === undefined ? {} : { warehouse }),
  });
}

/**
 * Where the catalog is asked; undefined where there is none.
 *
 * Throws `configuration` where what was given does not go together.
 */
export function restUri({ icebergCatalog, icebergRestUri }: CatalogSettings): string | undefined {
  if (icebergCatalog === "file") {
    if (icebergRestUri === undefined) return undefined;
    throw new WeirError("configuration", "--iceberg-rest-uri names a catalog that is not used", {
      advice: "Give --iceberg-catalog rest too, or leave it out",
    });
  }
  if (icebergRestUri !== undefined) return icebergRestUri;
  throw new WeirError("configuration", "--iceberg-catalog rest does not say which", {
    advice: "Give --iceberg-rest-uri too, such as http://127.0.0.1:8181",
  });
}

function credentialsOf(settings: CatalogSettings): RestCredentials {
  const { icebergRestToken: token, icebergRestCredential: credential, icebergOauthScope: scope } = settings;
  if (token !== undefined && credential !== undefined) {
    throw new WeirError("configuration", "ICEBERG_REST_TOKEN and ICEBERG_REST_CREDENTIAL are both given", {
      advice: "Leave one of them out: a token is sent as it is, credentials fetch one",
    });
  }
  if (token !== undefined) return { kind: "token", token };
  if (credential === undefined) return { kind: "none" };
  const { icebergOauthUri: tokenUri } = settings;
  return { kind: "client", ...clientCredential(credential), scope, ...(tokenUri === undefined ? {} : { tokenUri }) };
}
