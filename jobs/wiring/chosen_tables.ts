/** The tables of a lake that a user named. */
import { WeirError } from "../../lib/errors.ts";
import type { Storage } from "../../lib/storage/storage.ts";
import { type TableFolder, tableFolders } from "../../lib/query/lake_folders.ts";
import type { RestCatalog } from "../../lib/table/iceberg/rest/rest_catalog.ts";
import { patternExpression } from "../../lib/source/postgres/catalogue.ts";

/** What is asked for. */
export interface ChosenTablesOptions {
  readonly lake: Storage;
  /** Keeps the versions of its Iceberg tables, if one does. */
  readonly icebergCatalog: RestCatalog | undefined;
  readonly formats: readonly string[];
  /** `namespace.table` with `*` and `?`; those of `!` are left out. Empty: all. */
  readonly wanted: readonly string[];
}

/**
 * The tables in the lake's order. Throws `precondition` where there is none.
 *
 * @param isWanted Default: by the patterns.
 */
export async function chosenTables(
  { lake, icebergCatalog, formats, wanted }: ChosenTablesOptions,
  isWanted = ({ namespace, name }: TableFolder) => isChosen(`${namespace}.${name}`, wanted),
): Promise<readonly TableFolder[]> {
  const chosen = (await tableFolders({ storage: lake, icebergCatalog, formats })).filter(isWanted);
  if (chosen.length > 0) return chosen;
  const what = wanted.length === 0 ? "no table" : `no table that ${wanted.join(", ")} names`;
  throw new WeirError("precondition", `The lake holds ${what} in ${formats.join(" or ")}`, {
    detail: { path: lake.uri("") },
    advice: "Name tables as they are called in the lake with --tables, and the lake's place with --lake",
  });
}

/** Whether patterns name a table; with exclusions alone it is every table but those. */
export function isChosen(table: string, patterns: readonly string[]): boolean {
  const isNamed = (pattern: string) => new RegExp(patternExpression(pattern)).test(table);
  if (patterns.some((pattern) => pattern.startsWith("!") && isNamed(pattern.slice(1)))) return false;
  const named = patterns.filter((pattern) => !pattern.startsWith("!"));
  return named.length === 0 || named.some(isNamed);
}
