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

/** Which tables are looked for. */
export interface TableFoldersOptions {
  readonly storage: Storage;
  /** Keeps the versions of the lake's Iceberg tables, if one does. */
  readonly icebergCatalog?: RestCatalog | undefined;
  /** Default: all. */
  readonly formats?: readonly string[];
}

/** Tables of a lake in the order of format, namespace and name. A lake that is not there holds none. */
export async function tableFolders(options: TableFoldersOptions): Promise<readonly TableFolder[]> {
  const { storage, icebergCatalog, formats } = options;
  const finders: Readonly<Record<TableFolder["format"], () => Promise<readonly TableFolder[]>>> = {
    delta: () => namespacedFolders(storage, { folder: "delta", marker: "_delta_log" }),
    iceberg: () => icebergFolders(storage, icebergCatalog),
    paimon: () => paimonFolders(storage),
  };
  const found: TableFolder[] = [];
  for (const [format, find] of Object.entries(finders)) {
    if (formats?.includes(format) ?? true) found.push(...await find());
  }
  return found;
}

async function icebergFolders(lake: Storage, catalog: RestCatalog | undefined): Promise<readonly TableFolder[]> {
  if (catalog === undefined) return await namespacedFolders(lake, { folder: "iceberg", marker: "metadata" });
  return (await ownTables(catalog)).map((table) => ({ format: "iceberg", ...table }));
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
