/**
 * The lake's side of a comparison where the source's columns have changed and no row has come since: only a row event tells the
 * lake about new columns.
 */
import type { Column } from "../dataset/column.ts";
import { duckdbType } from "../dataset/column_type.ts";
import type { TableDefinition } from "../dataset/dataset.ts";
import type { Connection } from "../engine/connection.ts";
import { identifier } from "../engine/quote.ts";
import { WeirError } from "../errors.ts";

/** A lake table, as `VerificationRequest` has it. */
export interface ScannedTable {
  readonly definition: TableDefinition;
  readonly scan: string | undefined;
  readonly connection: Connection;
}

/**
 * The scan with every compared column. One that the lake does not have yet was added: its rows hold none of it.
 *
 * Throws `unsupportedSchemaChange` where the lake also has a column that the source does not: it may have been renamed, and
 * nobody can tell.
 */
export async function comparableScan(
  { definition, scan, connection }: ScannedTable,
  compared: readonly Column[],
): Promise<string | undefined> {
  if (scan === undefined) return undefined;
  const rows = await connection.rows(`SELECT column_name FROM (DESCRIBE SELECT * FROM (${scan}))`);
  const held = new Set(rows.map((row) => row["column_name"] as string));
  const absent = compared.filter(({ name }) => !held.has(name));
  if (absent.length === 0) return scan;
  const declared = new Set(definition.columns.map(({ name }) => name));
  const left = [...held].filter((name) => !declared.has(name));
  if (left.length > 0) throw renamed(definition, { absent: absent.map(({ name }) => name), left });
  const nulls = absent.map(({ name, type }) => `NULL::${duckdbType(type)} AS ${identifier(name)}`);
  return `SELECT *, ${nulls.join(", ")} FROM (${scan})`;
}

function renamed(
  { namespace, name }: TableDefinition,
  columns: { readonly absent: readonly string[]; readonly left: readonly string[] },
): WeirError {
  const table = `${namespace}.${name}`;
  return new WeirError(
    "unsupportedSchemaChange",
    `Cannot compare ${table}: the source now has ${columns.absent.join(", ")} and no longer ${
      columns.left.join(", ")
    }, ` +
      "and no row has come since that says what became of what",
    { detail: { table }, advice: "Change any row of the table at the source and start again, or use --resync" },
  );
}
