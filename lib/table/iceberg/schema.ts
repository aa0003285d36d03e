/**
 * Iceberg schemas: columns with ids that are never reused (Iceberg spec, "Schemas and Data Types").
 *
 * Promise: a column keeps its id through renames and promotions; a dropped name that comes back gets a new one.
 */
import type { Column } from "../../dataset/column.ts";
import { type ColumnType, type ScalarType, types } from "../../dataset/column_type.ts";
import type { TableDefinition } from "../../dataset/dataset.ts";
import { scalarNamed } from "../scalar_names.ts";

/** A type as metadata JSON spells it. */
export type IcebergType = string | {
  readonly type: "list";
  readonly "element-id": number;
  readonly element: string;
  readonly "element-required": boolean;
};

/** A column of a schema. */
export interface IcebergField {
  readonly id: number;
  readonly name: string;
  readonly required: boolean;
  readonly type: IcebergType;
  readonly doc?: string;
}

/** One schema of a table. */
export interface IcebergSchema {
  readonly type: "struct";
  readonly "schema-id": number;
  readonly "identifier-field-ids"?: readonly number[];
  readonly fields: readonly IcebergField[];
}

/** A schema beside the highest column id ever given out. */
export interface NumberedSchema {
  readonly schema: IcebergSchema;
  readonly lastColumnId: number;
}

const scalarNames = {
  boolean: "boolean",
  int32: "int",
  int64: "long",
  float32: "float",
  float64: "double",
  string: "string",
  binary: "binary",
  date: "date",
  timestamp: "timestamp",
  timestamptz: "timestamptz",
} as const;

function scalarName(type: ScalarType): string {
  return type.kind === "decimal" ? `decimal(${type.precision}, ${type.scale})` : scalarNames[type.kind];
}

/** Type of a scalar's name. Throws `RangeError` for one that this code never writes. */
function scalarType(name: string): ScalarType {
  const type = scalarNamed(scalarNames, name);
  if (type === undefined) throw new RangeError(`Cannot use a column of Iceberg type ${name}`);
  return type;
}

/** Our type of an Iceberg type. Throws `RangeError` for one that this code never writes. */
export function columnType(type: IcebergType): ColumnType {
  if (typeof type === "string") return scalarType(type);
  if (type.type !== "list") throw new RangeError(`Cannot use a column of Iceberg type ${type.type}`);
  return types.list(scalarType(type.element));
}

/** Gives a column the next free id, and its list element the one after. */
export function numberedField(column: Column, required: boolean, lastColumnId: number): [IcebergField, number] {
  const id = lastColumnId + 1;
  const isList = column.type.kind === "list";
  const field = {
    id,
    name: column.name,
    required,
    type: column.type.kind === "list"
      ? {
        type: "list" as const,
        "element-id": id + 1,
        element: scalarName(column.type.element),
        "element-required": false,
      }
      : scalarName(column.type),
    ...(column.doc === undefined ? {} : { doc: column.doc }),
  };
  return [field, isList ? id + 1 : id];
}

/**
 * The first schema of a table. Only key columns are required: any other value may become null as a dead letter.
 *
 * @throws {TypeError} If the key names a column that does not exist or a list.
 */
export function newSchema(definition: TableDefinition): NumberedSchema {
  const fields: IcebergField[] = [];
  let lastColumnId = 0;
  for (const column of definition.columns) {
    const [field, last] = numberedField(column, definition.key.includes(column.name), lastColumnId);
    fields.push(field);
    lastColumnId = last;
  }
  const key = definition.key.map((name) => fields.find((field) => field.name === name));
  if (key.some((field) => field === undefined || typeof field.type !== "string")) {
    throw new TypeError(`Cannot key ${definition.namespace}.${definition.name}: a key column is missing or a list`);
  }
  return { schema: { type: "struct", "schema-id": 0, ...identifierOf(key as IcebergField[]), fields }, lastColumnId };
}

/** Float columns may not identify rows (Iceberg spec, "Identifier Field IDs"). */
function identifierOf(key: readonly IcebergField[]): { "identifier-field-ids"?: number[] } {
  const allowed = key.length > 0 && !key.some(({ type }) => type === "float" || type === "double");
  return allowed ? { "identifier-field-ids": key.map(({ id }) => id) } : {};
}

/** The name a scalar or list type has in metadata, keeping a list's element id. */
export function promotedType(type: ColumnType, current: IcebergType): IcebergType {
  if (type.kind === "list") throw new RangeError("Cannot promote a list");
  return typeof current === "string" ? scalarName(type) : current;
}

/** Columns of a schema in our words. */
export function columnsOf(schema: IcebergSchema): Column[] {
  return schema.fields.map(({ name, type, required, doc }) => ({
    name,
    type: columnType(type),
    nullable: !required,
    ...(doc === undefined ? {} : { doc }),
  }));
}

/** Whether two schemas hold the same columns under the same ids, whatever their schema ids. */
export function sameFields(left: IcebergSchema, right: IcebergSchema): boolean {
  return JSON.stringify(left.fields) === JSON.stringify(right.fields);
}
