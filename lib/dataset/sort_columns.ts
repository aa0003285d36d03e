/** Columns by which the rows of a table stand in its files. */
import { WeirError } from "../errors.ts";
import type { Column } from "./column.ts";
import type { TableDefinition } from "./dataset.ts";

/**
 * The columns that a definition sorts its table by, in its order.
 *
 * @throws {WeirError} `configuration` where one is missing, named twice or has no order.
 */
export function sortColumns(definition: TableDefinition): readonly Column[] {
  const { columns, sortBy = [] } = definition;
  const found = sortBy.map((name) => {
    const column = columns.find((each) => each.name === name);
    if (column === undefined) throw refused(definition, `there is no column "${name}"`);
    if (column.type.kind === "list") throw refused(definition, `column "${name}" is a list`);
    return column;
  });
  if (new Set(found).size < found.length) throw refused(definition, "a column is named twice");
  return found;
}

function refused({ namespace, name, sortBy = [] }: TableDefinition, why: string): WeirError {
  const table = `${namespace}.${name}`;
  return new WeirError("configuration", `Cannot sort ${table} by ${sortBy.join(", ")}: ${why}`, {
    detail: { table },
    advice: "Name columns of the lake table that are no lists, each once",
  });
}
