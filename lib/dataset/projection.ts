/** What is flattened out of a JSON column: scalar columns, and child tables with a row per array element. */
import type { Column } from "./column.ts";

/** A column computed from a JSON column. */
export interface Projection {
  readonly column: Column;
  /** The JSON column it is read from. */
  readonly from: string;
  /** Object keys from the document's root, e.g. `["streetAddress"]`. */
  readonly path: readonly string[];
  /** Of a value: where else senders put it, looked at in this order where the path gives no value. */
  readonly otherPaths?: readonly (readonly string[])[];
  /** `value` (default) reads a scalar; `count` counts the elements of the array at `path` (0 where it is absent). */
  readonly take?: "value" | "count";
}

/** A table with one row per element of one or more arrays of a JSON column. Its key is the parent's key and `ordinal`. */
export interface ChildTable {
  readonly name: string;
  /** The JSON column the arrays stand in. */
  readonly from: string;
  /** Read in this order; `ordinal` counts from 0 through all of them. */
  readonly arrays: readonly ChildArray[];
  /** Columns after the parent's key and `ordinal`; each array says where its elements hold them. */
  readonly columns: readonly Column[];
}

/** One array that feeds a child table. */
export interface ChildArray {
  /** Object keys from the document's root to the array. */
  readonly path: readonly string[];
  /** Child column name → object keys inside an element, or a constant. A column left out is null. */
  readonly columns: Readonly<Record<string, ElementPlace | { readonly constant: string }>>;
}

/** Where an array's elements hold a value. */
export type ElementPlace = Pick<Projection, "path" | "otherPaths">;

/** Every path at which a value may stand, the declared one first. */
export function pathsOf(place: ElementPlace): readonly (readonly string[])[] {
  return [place.path, ...place.otherPaths ?? []];
}
