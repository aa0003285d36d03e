/** How a schema's field ids reach Parquet: written by name, read back by id, so that renames cost nothing. */
import { duckdbType } from "../../dataset/column_type.ts";
import { literal } from "../../engine/quote.ts";
import type { FieldIds } from "../field_ids.ts";
import { columnType, type IcebergField, type IcebergSchema } from "./schema.ts";

/** Of all columns of a schema, or of these. */
export function fieldIds({ fields }: Pick<IcebergSchema, "fields">): FieldIds {
  return new Map(fields.map(({ name, id, type }) => {
    return [name, typeof type === "string" ? { id } : { id, element: type["element-id"] }];
  }));
}

/** Name under which {@linkcode readFiles} gives a column; never equal to a virtual column of the reader. */
export function readName(field: IcebergField): string {
  return `c${field.id}`;
}

/**
 * A table function reading columns by field id from files of any schema version: missing columns are null, narrower ones
 * are widened. It gives `file_index` (place in the list) and `file_row_number` too. `rows`: how many the files have;
 * not told, the engine takes them for few, and joins build their tables of them.
 */
export function readFiles(paths: readonly string[], fields: readonly IcebergField[], rows?: bigint): string {
  const columns = fields.map((field) => {
    const type = literal(duckdbType(columnType(field.type)));
    return `${field.id}: {name: ${literal(readName(field))}, type: ${type}, default_value: NULL}`;
  });
  // Folders are named `x=y` for people; the reader must not take them for columns.
  return `read_parquet([${paths.map(literal).join(", ")}], schema = MAP {${
    columns.join(", ")
  }}, hive_partitioning = false${rows === undefined ? "" : `, explicit_cardinality = ${rows}`})`;
}
