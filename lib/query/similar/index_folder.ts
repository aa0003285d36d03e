/** Where the index of a table's vectors is kept. */
import { join } from "node:path";
import { lakeId } from "../../storage/lake_name.ts";
import type { TableFolder } from "../lake_folders.ts";

/**
 * The folder of one table's index, whichever process asks. It is one of this machine's own: a folder of the lake may be cleaned by
 * others, and not every store holds such files well.
 *
 * @param stateFolder Where jobs keep what can be made again, absolute.
 * @param place.lake As a user writes it.
 */
export function indexFolder(
  stateFolder: string,
  { lake, table: { format, namespace, name } }: { readonly lake: string; readonly table: TableFolder },
): string {
  return join(stateFolder, "indexes", lakeId(lake), ...[format, namespace, name].map(encodeURIComponent));
}
