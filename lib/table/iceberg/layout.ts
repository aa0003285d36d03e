/**
 * How new files are laid out: partitioned or not, their rows sorted or not.
 *
 * Promise: a declaration may change its mind at any commit. New files follow it, those that are there keep theirs, and every reader
 * knows of each file how it was written.
 */
import type { TableDefinition } from "../../dataset/dataset.ts";
import { currentSpec, type PartitionSpec, type TableMetadata } from "./metadata.ts";
import { partitionFields } from "./partition_spec.ts";
import { columnType, type IcebergSchema } from "./schema.ts";
import { sortFields, type SortOrder, sortOrderOf } from "./sort_order.ts";

/** Partition spec and sort order of new files, under the ids that the table has or gets for them. */
export interface Layout {
  readonly spec: PartitionSpec;
  readonly order: SortOrder;
  /** False: the table's own order stays, also where it is one that other writers follow and we do not. */
  readonly isOrderDeclared: boolean;
}

/** The layout that a definition asks for. Columns that a table lacks ask for nothing: it stays as it is. */
export function layoutOf(metadata: TableMetadata, definition: TableDefinition, schema: IcebergSchema): Layout {
  return {
    spec: specFor(metadata, definition, schema),
    order: orderFor(metadata, definition, schema),
    isOrderDeclared: definition.sortBy !== undefined,
  };
}

function specFor(metadata: TableMetadata, definition: TableDefinition, schema: IcebergSchema): PartitionSpec {
  const { partitionByDay, columns, partitionBy = partitionedColumns(metadata, schema) } = definition;
  const wanted = [...partitionBy, ...partitionByDay === undefined ? [] : [partitionByDay]];
  const isThere = (column: string) => [schema.fields, columns].every((all) => all.some(({ name }) => name === column));
  if (!wanted.every(isThere)) return currentSpec(metadata);
  const specs = metadata["partition-specs"];
  const known = specs.flatMap(({ fields }) => fields);
  const fields = partitionFields({ ...definition, partitionBy }, {
    schema,
    lastId: metadata["last-partition-id"],
    known,
  });
  return specs.find((spec) => partitionedBy(spec) === partitionedBy({ fields })) ??
    { "spec-id": nextId(specs, "spec-id"), fields };
}

/** Columns that the table is partitioned by the values of: it stays so where nothing else is asked for. */
function partitionedColumns(metadata: TableMetadata, schema: IcebergSchema): readonly string[] {
  const byValue = currentSpec(metadata).fields.filter(({ transform }) => transform === "identity");
  return byValue.flatMap((field) => schema.fields.find(({ id }) => id === field["source-id"])?.name ?? []);
}

function orderFor(metadata: TableMetadata, definition: TableDefinition, schema: IcebergSchema): SortOrder {
  const { sortBy } = definition;
  const isThere = sortBy?.every((column) =>
    schema.fields.some(({ name, type }) => name === column && columnType(type).kind !== "list")
  );
  if (sortBy === undefined || !isThere) return sortOrderOf(metadata, schema);
  const fields = sortFields(definition, schema);
  const orders = metadata["sort-orders"];
  return orders.find((order) => sortedBy(order) === sortedBy({ fields })) ??
    { "order-id": nextId(orders, "order-id"), fields };
}

function nextId<Name extends string>(all: readonly Readonly<Record<Name, number>>[], name: Name): number {
  return Math.max(...all.map((each) => each[name])) + 1;
}

function partitionedBy({ fields }: Pick<PartitionSpec, "fields">): string {
  return fields.map((field) => `${field["source-id"]} ${field.transform}`).join();
}

function sortedBy({ fields }: Pick<SortOrder, "fields">): string {
  return JSON.stringify(fields);
}

/** Metadata whose new files have this layout. */
export function withLayout(metadata: TableMetadata, { spec, order, isOrderDeclared }: Layout): TableMetadata {
  const specs = metadata["partition-specs"];
  const orders = metadata["sort-orders"];
  const lastId = Math.max(metadata["last-partition-id"], ...spec.fields.map((field) => field["field-id"]));
  return {
    ...metadata,
    "partition-specs": specs.some((each) => each["spec-id"] === spec["spec-id"]) ? specs : [...specs, spec],
    "default-spec-id": spec["spec-id"],
    "last-partition-id": lastId,
    "sort-orders": orders.some((each) => each["order-id"] === order["order-id"]) ? orders : [...orders, order],
    "default-sort-order-id": isOrderDeclared ? order["order-id"] : metadata["default-sort-order-id"],
  };
}

/** Whether the ids of a layout still stand for it, or for nothing yet. */
export function layoutFits(metadata: TableMetadata, { spec, order }: Layout): boolean {
  const otherSpec = metadata["partition-specs"].find((each) => each["spec-id"] === spec["spec-id"]);
  const otherOrder = metadata["sort-orders"].find((each) => each["order-id"] === order["order-id"]);
  return (otherSpec === undefined || partitionedBy(otherSpec) === partitionedBy(spec)) &&
    (otherOrder === undefined || sortedBy(otherOrder) === sortedBy(order));
}
