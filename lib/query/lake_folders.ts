/** Which tables stand in a lake: by the folders of the formats' file-system layouts, and by what a catalog says. */
import type { Storage } from "../storage/storage.ts";
import { ownTables } from "../table/iceberg/rest/own_tables.ts";
import type { RestCatalog } from "../table/iceberg/rest/rest_catalog.ts";
import type { LakeTable } from "../table/lake_table.ts";

/** A table's place in a lake. */
export interface TableFolder {
  readonly format: LakeTable["format"];
  readonly namespace: string;
  readonly name: string;
}

/**
 * Tables of a lake in the order of format, namespace and name. A lake that is not there holds none.
 *
 * @param catalog Keeps the versions of the lake's Iceberg tables, if one does.
 */
export async function tableFolders(lake: Storage, catalog?: RestCatalog): Promise<readonly TableFolder[]> {
  return [
    ...await namespacedFolders(lake, { folder: "delta", marker: "_delta_log" }),
    ...catalog === undefined
      ? await namespacedFolders(lake, { folder: "iceberg", marker: "metadata" })
      : (await ownTables(catalog)).map((table) => ({ format: "iceberg", ...table } as const)),
    ...await paimonFolders(lake),
  ];
}

/** `<format>/<namespace>/<table>/<marker>/`. */
async function namespacedFolders(
  lake: Storage,
  layout: { readonly folder: "delta" | "iceberg"; readonly marker: string },
): Promise<TableFolder[]> {
  return await eachBelow(lake, layout, (namespace, name) => ({ format: layout.folder, namespace, name }));
}

/** `paimon/<namespace>.db/<table>/schema/`. */
async function paimonFolders(lake: Storage): Promise<TableFolder[]> {
  return await eachBelow(lake, { folder: "paimon", marker: "schema" }, (database, name) => {
    if (!database.endsWith(".db")) return undefined;
    return { format: "paimon", namespace: database.slice(0, -".db".length), name };
  });
}

/** Tables two folders down: those that hold a folder of a format. */
async function eachBelow(
  lake: Storage,
  { folder, marker }: { readonly folder: string; readonly marker: string },
  tableOf: (outer: string, inner: string) => TableFolder | undefined,
): Promise<TableFolder[]> {
  const found: TableFolder[] = [];
  for (const outer of await lake.subfolders(folder)) {
    for (const inner of await lake.subfolders(`${folder}/${outer}`)) {
      const table = tableOf(outer, inner);
      if (table === undefined) continue;
      if ((await lake.subfolders(`${folder}/${outer}/${inner}`)).includes(marker)) found.push(table);
    }
  }
  return found;
}
