/** How columns stand in Parquet files: under their physical names, and with their ids where columns are mapped. */
import { duckdbType } from "../../dataset/column_type.ts";
import { identifier, literal } from "../../engine/quote.ts";
import { columnId, columnType, type DeltaField, physicalName } from "./schema.ts";

/** `FIELD_IDS` of DuckDB's COPY; undefined without column mapping. */
export function fieldIds(fields: readonly DeltaField[]): string | undefined {
  if (fields.some((field) => columnId(field) === undefined)) return undefined;
  return `{${fields.map((field) => `${identifier(physicalName(field))}: ${columnId(field)}`).join(", ")}}`;
}

/** Name under which {@linkcode readFiles} gives the n-th column; never equal to a virtual column of the reader. */
export function readName(index: number): string {
  return `c${index}`;
}

/**
 * A table function reading columns, as {@linkcode readName} calls them, by physical name from files of any schema version:
 * missing columns are null. It gives `file_index` (place in the list) and `file_row_number` too. `rows`: how many the files have;
 * not told, the engine takes them for few, and joins build their tables of them.
 */
export function readFiles(paths: readonly string[], fields: readonly DeltaField[], rows?: bigint): string {
  const columns = fields.map((field, index) => {
    const type = literal(duckdbType(columnType(field.type)));
    return `${literal(physicalName(field))}: {name: ${literal(readName(index))}, type: ${type}, default_value: NULL}`;
  });
  // Folders are named `x=y` for people; the reader must not take them for columns.
  return `read_parquet([${paths.map(literal).join(", ")}], schema = MAP {${
    columns.join(", ")
  }}, hive_partitioning = false${rows === undefined ? "" : `, explicit_cardinality = ${rows}`})`;
}
