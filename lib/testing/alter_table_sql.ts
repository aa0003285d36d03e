/** Schema changes as DuckDB spells them: for the tables that stand beside a lake's in tests. */
import { duckdbType } from "../dataset/column_type.ts";
import type { SchemaChange } from "../dataset/schema_change.ts";
import { identifier } from "../engine/quote.ts";

/** The statement that makes a change to a table. */
export function alterTableSql(table: string, step: SchemaChange): string {
  return `ALTER TABLE ${identifier(table)} ${alteration(step)}`;
}

function alteration(step: SchemaChange): string {
  switch (step.kind) {
    case "addColumn":
      return `ADD COLUMN ${identifier(step.column.name)} ${duckdbType(step.column.type)}`;
    case "dropColumn":
      return `DROP COLUMN ${identifier(step.name)}`;
    case "renameColumn":
      return `RENAME COLUMN ${identifier(step.from)} TO ${identifier(step.to)}`;
    case "widenColumn":
      return `ALTER COLUMN ${identifier(step.name)} TYPE ${duckdbType(step.type)}`;
  }
}
