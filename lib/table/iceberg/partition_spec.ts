/** How files are parted (Iceberg spec, "Partitioning"): by the UTC day of one column, or not. */
import type { TableDefinition } from "../../dataset/dataset.ts";
import type { PartitionField, PartitionSpec } from "./metadata.ts";
import type { IcebergSchema } from "./schema.ts";

/** Ids of partition fields start here (Iceberg spec, "Partition Specs"); this one is never given out. */
export const noPartitionFieldId = 999;

/**
 * Fields of the spec that a definition asks for, the first with the id after `lastId`.
 *
 * @throws {TypeError} If the partition column is no instant column.
 */
export function partitionFields(
  { partitionByDay, namespace, name, columns }: TableDefinition,
  { schema, lastId }: { readonly schema: IcebergSchema; readonly lastId: number },
): PartitionField[] {
  if (partitionByDay === undefined) return [];
  const source = columns.find((column) => column.name === partitionByDay);
  if (source === undefined || !["timestamptz", "timestamp", "date"].includes(source.type.kind)) {
    throw new TypeError(`Cannot partition ${namespace}.${name} by day of ${partitionByDay}: it is no instant column`);
  }
  const taken = new Set(columns.map((column) => column.name));
  let fieldName = `${partitionByDay}_day`;
  while (taken.has(fieldName)) fieldName += "_partition";
  const sourceId = schema.fields.find((field) => field.name === partitionByDay)!.id;
  return [{ "source-id": sourceId, "field-id": lastId + 1, name: fieldName, transform: "day" }];
}

/** Whether files of a spec can be read and written here. */
export function isSupported({ fields }: PartitionSpec): boolean {
  return fields.length <= 1 && fields.every(({ transform }) => transform === "day");
}
