/** Which columns the rows of a lake table are parted by: said of the table, and nothing done to its rows. */
import type { Transform } from "../change/transform.ts";
import type { TableDefinition } from "../dataset/dataset.ts";

/** The transform that has a table parted by the values of columns (`TableDefinition.partitionBy`). */
export function createPartedRows(partitionBy: readonly string[]): Transform {
  const define = (input: TableDefinition): TableDefinition => ({ ...input, partitionBy });
  return {
    name: `rows parted by ${partitionBy.join(", ")}`,
    define,
    apply: (input) => Promise.resolve({ ...input, definition: define(input.definition) }),
  };
}
