/** Which tables stand in a lake, by the folders of the formats' file-system layouts. */
import type { Storage } from "../storage/storage.ts";

/** A table's place in a lake. */
export interface TableFolder {
  readonly format: "iceberg" | "paimon";
  readonly namespace: string;
  readonly name: string;
}

/** Tables of a lake in the order of format, namespace and name. A lake that is not there holds none. */
export async function tableFolders(lake: Storage): Promise<readonly TableFolder[]> {
  return [...await icebergFolders(lake), ...await paimonFolders(lake)];
}

/** `iceberg/<namespace>/<table>/metadata/`. */
async function icebergFolders(lake: Storage): Promise<TableFolder[]> {
  return await eachBelow(lake, { folder: "iceberg", marker: "metadata" }, (namespace, name) => {
    return { format: "iceberg", namespace, name };
  });
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
