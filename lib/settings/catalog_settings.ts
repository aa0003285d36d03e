/** The settings of an Iceberg catalog. */
import { settings } from "./declarations.ts";

/** What keeps the versions of Iceberg tables, and how it is reached. */
export const catalogSettings = {
  icebergCatalog: settings.icebergCatalog,
  icebergRestUri: settings.icebergRestUri,
  icebergWarehouse: settings.icebergWarehouse,
  icebergOauthUri: settings.icebergOauthUri,
  icebergOauthScope: settings.icebergOauthScope,
  icebergRestToken: settings.icebergRestToken,
  icebergRestCredential: settings.icebergRestCredential,
};
