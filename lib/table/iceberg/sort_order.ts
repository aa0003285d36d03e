/**
 * The order of rows inside data files (Iceberg spec, "Sorting"): ascending, nulls first.
 *
 * Promise: a file says that it is sorted only where it is. Order 0 is none.
 */
import type { TableDefinition } from "../../dataset/dataset.ts";
import type { TableMetadata } from "./metadata.ts";
import { readName } from "./parquet_fields.ts";
import type { IcebergField, IcebergSchema } from "./schema.ts";

/** One column of an order. */
export interface SortField {
  readonly transform: string;
  readonly "source-id": number;
  readonly direction: string;
  readonly "null-order": string;
}

/** An order as metadata lists it. */
export interface SortOrder {
  readonly "order-id": number;
  readonly fields: readonly SortField[];
}

/** No order. */
export const unsorted: SortOrder = { "order-id": 0, fields: [] };

/**
 * The columns that a definition sorts by, as fields of an order.
 *
 * @throws {TypeError} If a column is missing or a list.
 */
export function sortFields({ sortBy = [], namespace, name }: TableDefinition, { fields }: IcebergSchema): SortField[] {
  return sortBy.map((column) => {
    const field = fields.find((each) => each.name === column);
    if (field === undefined || typeof field.type !== "string") {
      throw new TypeError(`Cannot sort ${namespace}.${name} by ${column}: it is missing or a list`);
    }
    return { transform: "identity", "source-id": field.id, direction: "asc", "null-order": "nulls-first" };
  });
}

/** The table's order under a schema: an order by a column that has left is none. */
export function sortOrderIdUnder(metadata: TableMetadata, schema: IcebergSchema): number {
  const order = defaultOrder(metadata);
  const ids = new Set(schema.fields.map(({ id }) => id));
  return order.fields.every((field) => ids.has(field["source-id"])) ? order["order-id"] : unsorted["order-id"];
}

/** The order of new files under a schema: none where another writer sorts by what we do not. */
export function sortOrderOf(metadata: TableMetadata, schema: IcebergSchema): SortOrder {
  const order = defaultOrder(metadata);
  const isOurs = order.fields.every(({ transform }) => transform === "identity");
  return isOurs && sortOrderIdUnder(metadata, schema) === order["order-id"] ? order : unsorted;
}

function defaultOrder(metadata: TableMetadata): SortOrder {
  return metadata["sort-orders"].find((each) => each["order-id"] === metadata["default-sort-order-id"]) ?? unsorted;
}

/** `ORDER BY` of a SELECT, with what tells equal rows apart after it; empty for no order. */
export function orderBy(
  order: SortOrder,
  of: { readonly schema: IcebergSchema; readonly spell?: (field: IcebergField) => string; readonly then?: string },
): string {
  if (order.fields.length === 0) return "";
  const { schema, spell = readName, then } = of;
  const keys = order.fields.map((sorted) => {
    const field = schema.fields.find(({ id }) => id === sorted["source-id"])!;
    const nulls = sorted["null-order"] === "nulls-first" ? "FIRST" : "LAST";
    // The engine's sort makes -0 in a column that it sorts by 0, but not where it sorts by an expression.
    const by = field.type === "float" || field.type === "double" ? `${spell(field)} + 0` : spell(field);
    return `${by} ${sorted.direction === "asc" ? "ASC" : "DESC"} NULLS ${nulls}`;
  });
  return ` ORDER BY ${[...keys, ...then === undefined ? [] : [then]].join(", ")}`;
}
