/**
 * The names that a table's columns have in the lake.
 *
 * The rule: the source's name, unless the lake cannot hold it beside the others. That is so for a name that differs from an
 * earlier column's in nothing but case (DuckDB and most readers do not tell them apart), for the names that Weir gives to its
 * own columns while rows are on their way, and for those that table formats and the engine keep for themselves. Such a column
 * gets underscores before it, as many as it needs: `_op` becomes `__op`, and `name` beside `Name` becomes `_name`.
 */
import type { Column } from "../../dataset/column.ts";

/** Of rows on their way (`change/relation.ts`, `fold`, `transform`). */
const ownNames =
  /^_(op|ordinal|unchanged|delete|replaces|refused|born|root|missing|suspect|array|element|texts|entry|entries|document)$|^_(old|prior|text|json|weir)_/;
/** Of the engine's scans, of Iceberg's metadata columns and of Paimon's. */
const keptNames =
  /^(rowid|filename|file_row_number|file_index|_file|_pos|_deleted|_spec_id|_partition|_row_id|_last_updated_sequence_number|_sequence_number|_value_kind|_level|_key_.*)$/;

/**
 * Lake names of columns in their order.
 *
 * @example
 * ```ts
 * import { lakeNames } from "./lake_names.ts";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(lakeNames(["_id", "Name", "name", "NAME", "_op"]), ["_id", "Name", "_name", "__NAME", "__op"]);
 * ```
 */
export function lakeNames(names: readonly string[]): readonly string[] {
  const given = new Set(names.map((name) => name.toLowerCase()));
  const taken = new Set<string>();
  return names.map((name) => {
    let held = name;
    const isFree = () => {
      const plain = held.toLowerCase();
      if (taken.has(plain) || ownNames.test(plain) || keptNames.test(plain)) return false;
      // A changed name must leave alone what is another column's own.
      return held === name || !given.has(plain);
    };
    // Every kept name begins with one underscore or none, so this ends.
    while (!isFree()) held = `_${held}`;
    taken.add(held.toLowerCase());
    return held;
  });
}

/** The name that a column goes by at the source. */
export function sourceNameOf({ name, sourceName = name }: Column): string {
  return sourceName;
}
