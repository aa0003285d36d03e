/** Columns follow their source by themselves; a key cannot. */
import type { TableDefinition } from "../dataset/dataset.ts";
import { WeirError } from "../errors.ts";
import type { LakeTable, TableState } from "./lake_table.ts";

/** Throws `unsupportedSchemaChange` where a table that is there is keyed by other columns than it should be. */
export function requireSameKey(
  { namespace, name }: Pick<LakeTable, "namespace" | "name">,
  { key }: Pick<TableState, "key">,
  of: { readonly definition: TableDefinition; readonly folder: string },
): void {
  if (key.join("\0") === of.definition.key.join("\0")) return;
  const table = `${namespace}.${name}`;
  throw new WeirError("unsupportedSchemaChange", `Table ${table} is there, keyed by other columns`, {
    detail: { table, path: of.folder },
  });
}
