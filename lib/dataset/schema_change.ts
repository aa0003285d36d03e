/** How a lake table's schema follows its source. Each change is idempotent: applied twice it is applied once. */
import type { Column } from "./column.ts";
import { type ColumnType, sameType, widens } from "./column_type.ts";

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

/**
 * The steps from one set of columns to another, by name: for a table that is written anew, so that no old value needs to
 * survive. A type that cannot be widened in place becomes another column of the same name.
 *
 * @example
 * ```ts
 * import { columnDifference, evolveColumns } from "./schema_change.ts";
 * import { types } from "./column_type.ts";
 * import assert from "node:assert/strict";
 *
 * const before = [{ name: "a", type: types.string, nullable: true }];
 * const after = [{ name: "a", type: types.int64, nullable: true }];
 * assert.deepEqual(evolveColumns(before, columnDifference(before, after)), after);
 * ```
 */
export function columnDifference(before: readonly Column[], after: readonly Column[]): readonly SchemaChange[] {
  const find = (columns: readonly Column[], name: string) => columns.find((column) => column.name === name);
  const dropped = before.filter((column) => find(after, column.name) === undefined)
    .map(({ name }): SchemaChange => ({ kind: "dropColumn", name }));
  const steps = after.flatMap((column): SchemaChange[] => {
    const held = find(before, column.name);
    if (held === undefined) return [{ kind: "addColumn", column }];
    if (sameType(held.type, column.type)) return [];
    if (widens(held.type, column.type)) return [{ kind: "widenColumn", name: column.name, type: column.type }];
    return [{ kind: "dropColumn", name: column.name }, { kind: "addColumn", column }];
  });
  return [...dropped, ...steps];
}
