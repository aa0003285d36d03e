/** How a Delta schema follows its source. Every step is idempotent. */
import type { Column } from "../../dataset/column.ts";
import { sameType, widens } from "../../dataset/column_type.ts";
import type { SchemaChange } from "../../dataset/schema_change.ts";
import { WeirError } from "../../errors.ts";
import {
  columnType,
  type DeltaField,
  deltaType,
  mapped,
  physicalName,
  type TableShape,
  withNewField,
} from "./schema.ts";

/** What a shape is to become. */
export interface ShapeChange {
  readonly schemaChanges: readonly SchemaChange[];
  /** Columns of the rows that come; one that the table lacks is added. */
  readonly columns: readonly Column[];
  /** Key columns by physical name. */
  readonly key: readonly string[];
}

/**
 * The shape after changes. Column mapping is switched on by the first rename or drop, because only then files know a column by
 * another name; until then every reader finds the columns.
 *
 * @throws {WeirError} `unsupportedSchemaChange` where a key or partition column would be dropped, or a type would change in a way that loses
 *   values.
 */
export function evolveShape(from: TableShape, change: ShapeChange): TableShape {
  let evolved = from;
  for (const step of change.schemaChanges) evolved = applyStep(evolved, { step, key: change.key });
  for (const column of change.columns) evolved = withColumn(evolved, column);
  return evolved;
}

function applyStep(from: TableShape, by: { readonly step: SchemaChange; readonly key: readonly string[] }): TableShape {
  const { step } = by;
  switch (step.kind) {
    case "addColumn":
      return fieldOf(from, step.column.name) === undefined ? withNewField(from, step.column) : from;
    case "dropColumn":
      return withoutField(from, { name: step.name, key: by.key });
    case "renameColumn": {
      if (fieldOf(from, step.to) !== undefined || fieldOf(from, step.from) === undefined) return from;
      const base = mapped(from);
      return withField(base, { ...fieldOf(base, step.from)!, name: step.to });
    }
    case "widenColumn": {
      const field = fieldOf(from, step.name);
      return field === undefined ? from : withField(from, widened(field, step.type));
    }
  }
}

function fieldOf({ fields }: TableShape, name: string): DeltaField | undefined {
  return fields.find((field) => field.name === name);
}

/** The shape with one of its columns changed; it is known by its physical name. */
function withField(from: TableShape, changed: DeltaField): TableShape {
  const name = physicalName(changed);
  return { ...from, fields: from.fields.map((field) => physicalName(field) === name ? changed : field) };
}

function withoutField(
  from: TableShape,
  dropped: { readonly name: string; readonly key: readonly string[] },
): TableShape {
  const field = fieldOf(from, dropped.name);
  if (field === undefined) return from;
  if (dropped.key.includes(physicalName(field))) {
    throw new WeirError("unsupportedSchemaChange", `Key column ${dropped.name} was dropped at the source`);
  }
  if (from.partition.includes(physicalName(field))) {
    throw new WeirError(
      "unsupportedSchemaChange",
      `Column ${field.name}, by which the table is partitioned, was dropped`,
    );
  }
  if (from.partition.length > 0 && from.fields.length === from.partition.length + 1) {
    throw new WeirError("unsupportedSchemaChange", "No column is left beside those by which the table is partitioned");
  }
  const base = mapped(from);
  return { ...base, fields: base.fields.filter(({ name }) => name !== dropped.name) };
}

function withColumn(from: TableShape, column: Column): TableShape {
  const field = fieldOf(from, column.name);
  return field === undefined ? withNewField(from, column) : withField(from, widened(field, column.type));
}

function widened(field: DeltaField, type: Column["type"]): DeltaField {
  const current = columnType(field.type);
  // A replayed change, or a definition older than the table: what is wide enough stays.
  if (sameType(current, type) || widens(type, current)) return field;
  if (!widens(current, type)) {
    throw new WeirError("unsupportedSchemaChange", `Column ${field.name} changed from ${current.kind} to ${type.kind}`);
  }
  return { ...field, type: deltaType(type) };
}

/** Whether a column that stays in files has another type: those that hold the old one must be written anew. */
export function changesTypes(from: TableShape, to: TableShape): boolean {
  const before = new Map(from.fields.map((field) => [physicalName(field), columnType(field.type)]));
  return to.fields.some((field) => {
    const type = before.get(physicalName(field));
    return type !== undefined && !to.partition.includes(physicalName(field)) && !sameType(type, columnType(field.type));
  });
}
