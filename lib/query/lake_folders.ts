/** Which tables stand in a lake: by the folders of the formats' file-system layouts, and by what a catalog says. */
import { WeirError } from "../errors.ts";
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

/** A table that cannot be read, and why. */
export interface DamagedTable extends TableFolder {
  readonly error: WeirError;
}

/** Which tables are looked for. */
export interface TableFoldersOptions {
  readonly storage: Storage;
  /** Keeps the versions of the lake's Iceberg tables, if one does. */
  readonly icebergCatalog?: RestCatalog | undefined;
  /** Default: all. */
  readonly formats?: readonly string[];
  /** Takes a table whose files are there without those that say what it holds. Default: it is passed over. */
  readonly onDamaged?: ((table: DamagedTable) => void) | undefined;
}

/** Tables of a lake in the order of format, namespace and name. A lake that is not there holds none. */
export async function tableFolders(options: TableFoldersOptions): Promise<readonly TableFolder[]> {
  const { icebergCatalog, formats } = options;
  const finders: Readonly<Record<TableFolder["format"], () => Promise<readonly TableFolder[]>>> = {
    delta: () => namespacedFolders(options, { folder: "delta", marker: "_delta_log" }),
    iceberg: () =>
      icebergCatalog === undefined
        ? namespacedFolders(options, { folder: "iceberg", marker: "metadata" })
        : catalogTables(icebergCatalog),
    paimon: () => paimonFolders(options),
  };
  const found: TableFolder[] = [];
  for (const [format, find] of Object.entries(finders)) {
    if (formats?.includes(format) ?? true) found.push(...await find());
  }
  return found;
}

async function catalogTables(catalog: RestCatalog): Promise<readonly TableFolder[]> {
  return (await ownTables(catalog)).map((table) => ({ format: "iceberg", ...table }));
}

type Lake = Pick<TableFoldersOptions, "storage" | "onDamaged">;

/** `<format>/<namespace>/<table>/<marker>/`. */
async function namespacedFolders(
  lake: Lake,
  layout: { readonly folder: "delta" | "iceberg"; readonly marker: string },
): Promise<TableFolder[]> {
  return await eachBelow(lake, layout, (namespace, name) => ({ format: layout.folder, namespace, name }));
}

/** `paimon/<namespace>.db/<table>/schema/`. */
async function paimonFolders(lake: Lake): Promise<TableFolder[]> {
  return await eachBelow(lake, { folder: "paimon", marker: "schema" }, (database, name) => {
    if (!database.endsWith(".db")) return undefined;
    return { format: "paimon", namespace: database.slice(0, -".db".length), name };
  });
}

/** Tables two folders down: those that hold a folder of a format. */
async function eachBelow(
  { storage, onDamaged }: Lake,
  { folder, marker }: { readonly folder: string; readonly marker: string },
  tableOf: (outer: string, inner: string) => TableFolder | undefined,
): Promise<TableFolder[]> {
  const found: TableFolder[] = [];
  for (const outer of await storage.subfolders(folder)) {
    for (const inner of await storage.subfolders(`${folder}/${outer}`)) {
      const table = tableOf(outer, inner);
      if (table === undefined) continue;
      const path = `${folder}/${outer}/${inner}`;
      if ((await storage.subfolders(path)).includes(marker)) found.push(table);
      else if (onDamaged !== undefined && await holdsFiles(storage, path)) {
        onDamaged({ ...table, error: missing(`${path}/${marker}`) });
      }
    }
  }
  return found;
}

async function holdsFiles(storage: Storage, folder: string): Promise<boolean> {
  for await (const _ of storage.list(folder)) return true;
  return false;
}

function missing(path: string): WeirError {
  return new WeirError("tableUnreadable", `${path} is missing, the folder that says which of its files are the table`, {
    detail: { path },
  });
}
