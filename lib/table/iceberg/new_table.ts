/** The first version of a table: no snapshot, one schema, one partition spec. */
import type { TableDefinition } from "../../dataset/dataset.ts";
import type { TableMetadata } from "./metadata.ts";
import { noPartitionFieldId, partitionFields } from "./partition_spec.ts";
import { initialProperties, ownProperties } from "./properties.ts";
import { newSchema, type NumberedSchema } from "./schema.ts";
import { sortFields, unsorted } from "./sort_order.ts";

/**
 * Metadata of a table without rows.
 *
 * @throws {TypeError} If the key, the column of the day or the order does not fit the columns.
 * @throws {WeirError} `configuration` for columns that a table cannot be partitioned by.
 */
export function newTable(
  definition: TableDefinition,
  options: { readonly formatVersion: 2 | 3; readonly location: string },
): TableMetadata {
  const numbered = newSchema(definition);
  const partition = partitionFields(definition, { schema: numbered.schema, lastId: noPartitionFieldId });
  const sorted = sortFields(definition, numbered.schema);
  const sortOrders = [unsorted, ...sorted.length === 0 ? [] : [{ "order-id": 1, fields: sorted }]];
  return {
    "format-version": options.formatVersion,
    "table-uuid": crypto.randomUUID(),
    location: options.location,
    "last-sequence-number": 0n,
    "last-updated-ms": Date.now(),
    "last-column-id": numbered.lastColumnId,
    schemas: [numbered.schema],
    "current-schema-id": 0,
    "partition-specs": [{ "spec-id": 0, fields: partition }],
    "default-spec-id": 0,
    "last-partition-id": noPartitionFieldId + partition.length,
    "sort-orders": sortOrders,
    "default-sort-order-id": sortOrders.at(-1)!["order-id"],
    properties: { ...initialProperties(), ...ownPropertiesOf(definition, numbered) },
    ...(options.formatVersion === 3 ? { "next-row-id": 0n } : {}),
    snapshots: [],
    "snapshot-log": [],
    "metadata-log": [],
  };
}

function ownPropertiesOf(definition: TableDefinition, { schema }: NumberedSchema): Record<string, string> {
  const idOf = (name: string) => schema.fields.find((field) => field.name === name)!.id;
  const lists = schema.fields.filter(({ type }) => typeof type !== "string");
  return {
    [ownProperties.keyFieldIds]: definition.key.map(idOf).join(","),
    ...Object.fromEntries(lists.map(({ name }) => [`write.metadata.metrics.column.${name}`, "none"])),
  };
}
