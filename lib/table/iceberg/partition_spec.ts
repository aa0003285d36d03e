/** How files are partitioned (Iceberg spec, "Partitioning"): by the values of columns, and by the UTC day of one. */
import type { Column } from "../../dataset/column.ts";
import type { TableDefinition } from "../../dataset/dataset.ts";
import { isPartitionType, partitionColumns } from "../../dataset/partition_columns.ts";
import type { PartitionField, PartitionSpec } from "./metadata.ts";
import { columnType, type IcebergSchema } from "./schema.ts";

/** Ids of partition fields start here (Iceberg spec, "Partition Specs"); this one is never given out. */
export const noPartitionFieldId = 999;

/** What fields are numbered by. */
export interface SpecContext {
  readonly schema: IcebergSchema;
  /** The highest id of a field. */
  readonly lastId: number;
  /** Fields that the table has or had. An equal one is that one again. */
  readonly known?: readonly PartitionField[];
}

/**
 * Fields of the spec that a definition asks for; new ones count on from `lastId`.
 *
 * @throws {WeirError} `configuration` for columns that a table cannot be partitioned by.
 * @throws {TypeError} If the column of the day is no instant column.
 */
export function partitionFields(
  definition: TableDefinition,
  { schema, lastId, known = [] }: SpecContext,
): PartitionField[] {
  const byValue = partitionColumns(definition).map(({ name }) => ({ column: name, name, transform: "identity" }));
  const fields: PartitionField[] = [];
  let id = lastId;
  for (const { column, name, transform } of [...byValue, ...dayField(definition)]) {
    const source = schema.fields.find((field) => field.name === column)!.id;
    const same = known.find((field) => field["source-id"] === source && field.transform === transform);
    fields.push(same ?? { "source-id": source, "field-id": ++id, name, transform });
  }
  return fields;
}

function dayField({ partitionByDay, namespace, name, columns }: TableDefinition) {
  if (partitionByDay === undefined) return [];
  const source = columns.find((column) => column.name === partitionByDay);
  if (source === undefined || !isInstant(source)) {
    throw new TypeError(`Cannot partition ${namespace}.${name} by day of ${partitionByDay}: it is no instant column`);
  }
  const taken = new Set(columns.map((column) => column.name));
  let fieldName = `${partitionByDay}_day`;
  while (taken.has(fieldName)) fieldName += "_partition";
  return [{ column: partitionByDay, name: fieldName, transform: "day" }];
}

function isInstant({ type }: Pick<Column, "type">): boolean {
  return ["timestamptz", "timestamp", "date"].includes(type.kind);
}

/** Whether files of a spec can be read and written here, under a schema. */
export function isSupported({ fields }: PartitionSpec, schema: IcebergSchema): boolean {
  return fields.every((field) => {
    const source = schema.fields.find(({ id }) => id === field["source-id"]);
    if (source === undefined) return false;
    const type = columnType(source.type);
    return field.transform === "identity" ? isPartitionType(type) : field.transform === "day" && isInstant({ type });
  });
}
