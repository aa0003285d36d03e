/** Which tables stand in a lake's folder, by the folders of the formats' file-system layouts. */
import { join } from "node:path";
import { storageError } from "../errors.ts";
import type { LakeTable } from "../table/lake_table.ts";

/** A table's place in a lake. */
export interface TableFolder {
  readonly format: LakeTable["format"];
  readonly namespace: string;
  readonly name: string;
}

/** Tables of a lake in the order of format, namespace and name. A folder that is not there holds none. */
export async function tableFolders(lake: string): Promise<readonly TableFolder[]> {
  const inFolders = async (format: "iceberg" | "delta", marker: string) =>
    await namespacedFolders(join(lake, format), { format, marker });
  return [
    ...await inFolders("delta", "_delta_log"),
    ...await inFolders("iceberg", "metadata"),
    ...await paimonFolders(lake),
  ];
}

/** `<format>/<namespace>/<table>/<marker>/`. */
async function namespacedFolders(
  root: string,
  { format, marker }: { readonly format: "iceberg" | "delta"; readonly marker: string },
): Promise<TableFolder[]> {
  return await below(root, async (namespace) =>
    await below(join(root, namespace), async (name) => {
      const isTable = (await subfolders(join(root, namespace, name))).includes(marker);
      return isTable ? [{ format, namespace, name }] : [];
    }));
}

/** `paimon/<namespace>.db/<table>/schema/`. */
async function paimonFolders(lake: string): Promise<TableFolder[]> {
  const root = join(lake, "paimon");
  return await below(root, async (database) =>
    await below(join(root, database), async (name) => {
      const isTable = database.endsWith(".db") && (await subfolders(join(root, database, name))).includes("schema");
      return isTable ? [{ format: "paimon", namespace: database.slice(0, -".db".length), name }] : [];
    }));
}

async function below(folder: string, each: (name: string) => Promise<TableFolder[]>): Promise<TableFolder[]> {
  const found: TableFolder[] = [];
  for (const name of await subfolders(folder)) found.push(...await each(name));
  return found;
}

async function subfolders(folder: string): Promise<readonly string[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(folder));
    return entries.filter((entry) => entry.isDirectory).map((entry) => entry.name).sort();
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound || thrown instanceof Deno.errors.NotADirectory) return [];
    throw storageError(thrown, folder);
  }
}
