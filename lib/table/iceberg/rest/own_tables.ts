/** The tables of a catalog that were filled from here: it may keep those of others beside them. */
import { ownProperties } from "../properties.ts";
import type { RestCatalog } from "./rest_catalog.ts";

/** A table's name in a catalog. */
export interface CatalogTable {
  readonly namespace: string;
  readonly name: string;
}

/** Tables that say how far their source was read, by namespace and name. */
export async function ownTables(catalog: RestCatalog): Promise<readonly CatalogTable[]> {
  const own: CatalogTable[] = [];
  for (const namespace of await catalog.namespaces()) {
    for (const name of await catalog.tables(namespace)) {
      const properties = await catalog.tableProperties(namespace, name);
      if (properties?.[ownProperties.position] !== undefined) own.push({ namespace, name });
    }
  }
  return own;
}
