/** How an Iceberg schema follows its source (Iceberg spec, "Schema Evolution"). Every step is idempotent. */
import type { Column } from "../../dataset/column.ts";
import { sameType, widens } from "../../dataset/column_type.ts";
import type { SchemaChange } from "../../dataset/schema_change.ts";
import { WeirError } from "../../errors.ts";
import type { PartitionField } from "./metadata.ts";
import {
  columnType,
  type IcebergField,
  type IcebergSchema,
  numberedField,
  type NumberedSchema,
  promotedType,
} from "./schema.ts";

/** What may not be touched by a change. */
export interface PinnedFields {
  /** Ids of key columns. */
  readonly key: readonly number[];
  /** Fields of every partition spec: one that is used no more is still read, as its files may be there. */
  readonly partition: readonly PartitionField[];
}

/**
 * The schema after changes, under a new schema id where anything changed. A column that a later definition has and the
 * table lacks is added; one that the definition lacks stays and is null in new rows.
 *
 * @throws {WeirError} `unsupportedSchemaChange` where a key or partition column would be dropped, a column called as the
 * partition field of another one, or a type changed in a way no reader can follow.
 */
export function evolveSchema(
  from: NumberedSchema,
  change: {
    readonly schemaChanges: readonly SchemaChange[];
    readonly columns: readonly Column[];
    readonly pinned: PinnedFields;
  },
): NumberedSchema {
  let evolved = from;
  for (const step of change.schemaChanges) evolved = applyStep(evolved, { step, pinned: change.pinned });
  for (const column of change.columns) evolved = withColumn(evolved, column);
  refuseNames({ from: from.schema, to: evolved.schema }, change.pinned);
  return evolved;
}

function applyStep(from: NumberedSchema, by: { step: SchemaChange; pinned: PinnedFields }): NumberedSchema {
  const { step } = by;
  const { fields } = from.schema;
  switch (step.kind) {
    case "addColumn":
      return hasField(fields, step.column.name) ? from : added(from, step.column);
    case "dropColumn":
      refuseDrop(fields.find(({ name }) => name === step.name), by.pinned);
      return withFields(from, fields.filter(({ name }) => name !== step.name));
    case "renameColumn":
      if (hasField(fields, step.to)) return from;
      return withFields(from, fields.map((field) => field.name === step.from ? { ...field, name: step.to } : field));
    case "widenColumn":
      return withFields(from, fields.map((field) => field.name === step.name ? widened(field, step.type) : field));
  }
}

function hasField(fields: readonly IcebergField[], name: string): boolean {
  return fields.some((field) => field.name === name);
}

function added(from: NumberedSchema, column: Column): NumberedSchema {
  const [field, lastColumnId] = numberedField(column, false, from.lastColumnId);
  return { schema: { ...from.schema, fields: [...from.schema.fields, field] }, lastColumnId };
}

function withFields(from: NumberedSchema, fields: readonly IcebergField[]): NumberedSchema {
  return { ...from, schema: { ...from.schema, fields } };
}

function withColumn(from: NumberedSchema, column: Column): NumberedSchema {
  const { fields } = from.schema;
  if (!hasField(fields, column.name)) return added(from, column);
  return withFields(from, fields.map((field) => field.name === column.name ? widened(field, column.type) : field));
}

function widened(field: IcebergField, type: Column["type"]): IcebergField {
  const current = columnType(field.type);
  // A replayed change, or a definition older than the table: what is wide enough stays.
  if (sameType(current, type) || widens(type, current)) return field;
  if (!widens(current, type)) {
    throw new WeirError("unsupportedSchemaChange", `Column ${field.name} changed from ${current.kind} to ${type.kind}`);
  }
  return { ...field, type: promotedType(type, field.type) };
}

function refuseDrop(field: IcebergField | undefined, pinned: PinnedFields): void {
  if (field === undefined) return;
  if (pinned.key.includes(field.id)) {
    throw new WeirError("unsupportedSchemaChange", `Key column ${field.name} was dropped at the source`);
  }
  if (pinned.partition.some((each) => each["source-id"] === field.id)) {
    throw new WeirError(
      "unsupportedSchemaChange",
      `Column ${field.name}, by which the table is partitioned, was dropped`,
    );
  }
}

/** A reader takes a partition field's name for a column's of its own, and refuses the table where there is such a column. */
function refuseNames(
  { from, to }: { readonly from: IcebergSchema; readonly to: IcebergSchema },
  { partition }: PinnedFields,
): void {
  const isCalledSo = (name: string) => (field: IcebergField) => field.name === name;
  for (const { name, transform, "source-id": source } of partition) {
    const column = to.fields.find(isCalledSo(name));
    const isOwn = transform === "identity" && column?.id === source;
    if (column === undefined || isOwn || from.fields.find(isCalledSo(name))?.id === column.id) continue;
    throw new WeirError(
      "unsupportedSchemaChange",
      `A column is called ${name} now, as the partitions already are that another column gave the table`,
    );
  }
}

/** The table's schemas with this one among them, and its id: an equal schema that is there already keeps its id. */
export function registerSchema(
  schemas: readonly IcebergSchema[],
  schema: IcebergSchema,
): { schemas: readonly IcebergSchema[]; schemaId: number } {
  const text = fieldText(schema);
  const known = schemas.find((candidate) => fieldText(candidate) === text);
  if (known !== undefined) return { schemas, schemaId: known["schema-id"] };
  const schemaId = Math.max(...schemas.map((each) => each["schema-id"])) + 1;
  return { schemas: [...schemas, { ...schema, "schema-id": schemaId }], schemaId };
}

function fieldText(schema: IcebergSchema): string {
  return JSON.stringify([schema.fields, schema["identifier-field-ids"] ?? []]);
}
