/** How a lake table's schema follows its source. Each change is idempotent: applied twice it is applied once. */
import type { Column } from "./column.ts";
import type { ColumnType } from "./column_type.ts";

/** One step of schema evolution. */
export type SchemaChange =
  | { readonly kind: "addColumn"; readonly column: Column }
  | { readonly kind: "dropColumn"; readonly name: string }
  | { readonly kind: "renameColumn"; readonly from: string; readonly to: string }
  | { readonly kind: "widenColumn"; readonly name: string; readonly type: ColumnType };

/**
 * Columns after the changes. A change that is already there is passed over; new columns are nullable, because the rows
 * already written hold none.
 */
export function evolveColumns(columns: readonly Column[], changes: readonly SchemaChange[]): readonly Column[] {
  return changes.reduce(applyChange, columns);
}

function applyChange(columns: readonly Column[], change: SchemaChange): readonly Column[] {
  const has = (name: string) => columns.some((column) => column.name === name);
  switch (change.kind) {
    case "addColumn":
      return has(change.column.name) ? columns : [...columns, { ...change.column, nullable: true }];
    case "dropColumn":
      return columns.filter((column) => column.name !== change.name);
    case "renameColumn":
      return has(change.to)
        ? columns
        : columns.map((column) => column.name === change.from ? { ...column, name: change.to } : column);
    case "widenColumn":
      return columns.map((column) => column.name === change.name ? { ...column, type: change.type } : column);
  }
}
