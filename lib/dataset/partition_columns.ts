/** Columns by whose values the rows of a table are partitioned into files. */
import { WeirError } from "../errors.ts";
import type { Column } from "./column.ts";
import type { ColumnType, ScalarType } from "./column_type.ts";
import type { TableDefinition } from "./dataset.ts";

/** Whether every value of a type has one exact text, so that each format and reader holds it as a partition value. */
export function isPartitionType(type: ColumnType): type is ScalarType {
  return !["float32", "float64", "binary", "list"].includes(type.kind);
}

/**
 * The columns that a definition partitions its table by, in its order.
 *
 * @throws {WeirError} `configuration` where one is missing, named twice or of a type without an exact text, or where no column is
 *   left beside them.
 */
export function partitionColumns(definition: TableDefinition): readonly Column[] {
  const { columns, partitionBy = [] } = definition;
  const found = partitionBy.map((name) => {
    const column = columns.find((each) => each.name === name);
    if (column === undefined) throw refused(definition, `there is no column "${name}"`);
    if (!isPartitionType(column.type)) throw refused(definition, `column "${name}" is a ${column.type.kind}`);
    if (/^jsonb?$/i.test(column.sourceType ?? "")) throw refused(definition, `column "${name}" is a JSON document`);
    return column;
  });
  if (new Set(found).size < found.length) throw refused(definition, "a column is named twice");
  if (found.length === columns.length && found.length > 0) throw refused(definition, "no column is left beside them");
  return found;
}

function refused({ namespace, name, partitionBy = [] }: TableDefinition, why: string): WeirError {
  const table = `${namespace}.${name}`;
  return new WeirError("configuration", `Cannot partition ${table} by ${partitionBy.join(", ")}: ${why}`, {
    detail: { table },
    advice:
      "Name columns of the lake table that are whole numbers, decimals, texts, dates, timestamps or booleans, and " +
      "leave one beside them",
  });
}
