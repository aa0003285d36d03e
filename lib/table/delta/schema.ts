/**
 * Delta schemas: columns under names that files know them by (Delta protocol, "Schema Serialization Format" and "Column
 * Mapping").
 *
 * Promise: without column mapping a column's name is its physical name; with it the physical name never changes and is never
 * given twice.
 */
import type { Column } from "../../dataset/column.ts";
import { type ColumnType, type ScalarType, types } from "../../dataset/column_type.ts";
import { parseJson, stringifyJson } from "../lossless_json.ts";
import { scalarNamed } from "../scalar_names.ts";
import { propertyNames } from "./properties.ts";

/** A type as a schema string spells it. */
export type DeltaType = string | {
  readonly type: "array";
  readonly elementType: string;
  readonly containsNull: boolean;
};

/** A column of a schema. */
export interface DeltaField {
  readonly name: string;
  readonly type: DeltaType;
  readonly nullable: boolean;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** Columns beside the properties that say how they are found in files. */
export interface TableShape {
  /** Of the table, for life. */
  readonly tableId: string;
  readonly fields: readonly DeltaField[];
  /** Columns that rows are partitioned by, as files would know them, in partition order. */
  readonly partition: readonly string[];
  readonly configuration: Readonly<Record<string, string>>;
}

const physicalNameKey = "delta.columnMapping.physicalName";
const columnIdKey = "delta.columnMapping.id";

const scalarNames = {
  boolean: "boolean",
  int32: "integer",
  int64: "long",
  float32: "float",
  float64: "double",
  string: "string",
  binary: "binary",
  date: "date",
  timestamp: "timestamp_ntz",
  timestamptz: "timestamp",
} as const;

function scalarName(type: ScalarType): string {
  return type.kind === "decimal" ? `decimal(${type.precision},${type.scale})` : scalarNames[type.kind];
}

function scalarType(name: unknown): ScalarType {
  const type = typeof name === "string" ? scalarNamed(scalarNames, name) : undefined;
  if (type === undefined) throw new RangeError(`a column has the type ${stringifyJson(name)}`);
  return type;
}

/** Our type of a Delta type. Throws `RangeError` for one that this code never writes. */
export function columnType(type: DeltaType): ColumnType {
  if (typeof type === "string") return scalarType(type);
  if (type.type !== "array") throw new RangeError(`a column has the type ${String(type.type)}`);
  return types.list(scalarType(type.elementType));
}

/** The type as a schema string spells it. */
export function deltaType(type: ColumnType): DeltaType {
  return type.kind === "list"
    ? { type: "array", elementType: scalarName(type.element), containsNull: true }
    : scalarName(type);
}

/** The columns of a schema string. Throws `RangeError` for one with types that this code never writes. */
export function parseSchema(text: string): readonly DeltaField[] {
  const { fields } = parseJson(text) as { readonly fields?: readonly DeltaField[] };
  if (!Array.isArray(fields)) throw new RangeError("its schema has no columns");
  const read = fields.map((field: DeltaField) => ({ ...field, metadata: field.metadata ?? {} }));
  for (const { type } of read) columnType(type);
  return read;
}

/** A schema string of columns. */
export function formatSchema(fields: readonly DeltaField[]): string {
  return stringifyJson({ type: "struct", fields });
}

/** Whether columns are found by physical names of their own. */
export function isMapped({ configuration }: Pick<TableShape, "configuration">): boolean {
  return configuration[propertyNames.mappingMode] === "name";
}

/** The name that files, statistics and our properties know a column by. */
export function physicalName({ name, metadata }: DeltaField): string {
  const physical = metadata[physicalNameKey];
  return typeof physical === "string" ? physical : name;
}

/** A column under column mapping, with what files know it by. */
export function mappedField(field: DeltaField, as: { readonly id: number; readonly physicalName: string }): DeltaField {
  return { ...field, metadata: { ...field.metadata, [columnIdKey]: as.id, [physicalNameKey]: as.physicalName } };
}

/** Its id in files; only with column mapping. */
export function columnId({ metadata }: DeltaField): number | undefined {
  const id = metadata[columnIdKey];
  return typeof id === "number" ? id : undefined;
}

/** The shape with a column at its end. */
export function withNewField(shape: TableShape, column: Column): TableShape {
  const base = isMapped(shape) || !needsMapping(column.name) ? shape : mapped(shape);
  const doc: Record<string, unknown> = column.doc === undefined ? {} : { comment: column.doc };
  const field = { name: column.name, type: deltaType(column.type), nullable: true, metadata: doc };
  if (!isMapped(base)) return { ...base, fields: [...base.fields, field] };
  const id = highestId(base) + 1;
  // A name that was dropped, or renamed away, stands in older files still.
  const metadata = { ...doc, [columnIdKey]: id, [physicalNameKey]: `col-${id}-${base.tableId}` };
  return {
    ...base,
    fields: [...base.fields, { ...field, metadata }],
    configuration: { ...base.configuration, [propertyNames.highestColumnId]: String(id) },
  };
}

/** Characters that a column may have only under column mapping (Delta protocol, "Column Mapping"). */
export function needsMapping(name: string): boolean {
  return /[ ,;{}()\n\t=]/.test(name);
}

/** The shape with column mapping by name: columns that are there keep their names in files. */
export function mapped(shape: TableShape): TableShape {
  if (isMapped(shape)) return shape;
  const fields = shape.fields.map((field, index) => ({
    ...field,
    metadata: { ...field.metadata, [columnIdKey]: index + 1, [physicalNameKey]: field.name },
  }));
  const properties = { [propertyNames.mappingMode]: "name", [propertyNames.highestColumnId]: String(fields.length) };
  return { ...shape, fields, configuration: { ...shape.configuration, ...properties } };
}

function highestId({ fields, configuration }: TableShape): number {
  const recorded = Number(configuration[propertyNames.highestColumnId] ?? 0);
  return Math.max(recorded, ...fields.map((field) => columnId(field) ?? 0));
}

/** Columns of a schema in our words; those of the key, by physical name, hold no null. */
export function columnsOf(fields: readonly DeltaField[], key: readonly string[]): Column[] {
  return fields.map((field) => ({
    name: field.name,
    type: columnType(field.type),
    nullable: !key.includes(physicalName(field)),
    ...(typeof field.metadata["comment"] === "string" ? { doc: field.metadata["comment"] } : {}),
  }));
}
