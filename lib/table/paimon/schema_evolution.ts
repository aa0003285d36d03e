/** The next schema after schema changes, by field id: ids stay with their columns and are never given twice. */
import { sameType, widens } from "../../dataset/column_type.ts";
import type { SchemaChange } from "../../dataset/schema_change.ts";
import { WeirError } from "../../errors.ts";
import { patternOption } from "./partition_expiry.ts";
import { bucketKey, type PaimonSchema, toField } from "./schema.ts";

/**
 * Applies changes to a schema. A change that is already there is passed over, so a replay changes nothing.
 *
 * @param options.isEmptied Whether no file stays that was written with the schema: only then may a key column become wider, for
 *   buckets are hashed from the key's bytes, which change with its type; and a partition column do so or be renamed, for its name
 *   and values stand in the folders of files. Default false.
 * @returns The same object where nothing changed; otherwise a schema that still has the old id.
 * @throws {WeirError} `unsupportedSchemaChange` where the key would change its columns or, in files that stay, their types, or
 *   where a type would not be widened.
 */
export function evolveSchema(
  schema: PaimonSchema,
  changes: readonly SchemaChange[],
  { isEmptied = false }: { readonly isEmptied?: boolean } = {},
): PaimonSchema {
  return changes.reduce((evolved, change) => applyChange(evolved, change, isEmptied), schema);
}

function applyChange(schema: PaimonSchema, change: SchemaChange, isEmptied: boolean): PaimonSchema {
  switch (change.kind) {
    case "addColumn":
      return addColumn(schema, change.column);
    case "dropColumn":
      return dropColumn(schema, change.name);
    case "renameColumn":
      return renameColumn(schema, { ...change, isEmptied });
    case "widenColumn":
      return widenColumn(schema, { ...change, isEmptied });
  }
}

function addColumn(
  schema: PaimonSchema,
  column: Extract<SchemaChange, { kind: "addColumn" }>["column"],
): PaimonSchema {
  if (has(schema, column.name)) return schema;
  const id = schema.highestFieldId + 1;
  return { ...schema, fields: [...schema.fields, toField(column, { id, nullable: true })], highestFieldId: id };
}

function dropColumn(schema: PaimonSchema, name: string): PaimonSchema {
  if (!has(schema, name)) return schema;
  if (schema.primaryKeys.includes(name)) throw unsupported(`drop its key column ${name}`);
  if (schema.partitionKeys.includes(name)) throw unsupported(`drop its partition column ${name}`);
  return { ...schema, fields: schema.fields.filter((field) => field.name !== name) };
}

function renameColumn(
  schema: PaimonSchema,
  { from, to, isEmptied }: { readonly from: string; readonly to: string; readonly isEmptied: boolean },
): PaimonSchema {
  if (has(schema, to) || !has(schema, from)) return schema;
  if (schema.partitionKeys.includes(from) && !isEmptied) throw unsupported(`rename its partition column ${from}`);
  const renamed = (name: string) => name === from ? to : name;
  const fields = schema.fields.map((field) => {
    return field.name === from ? toField({ ...field, name: to }, field) : field;
  });
  return {
    ...schema,
    fields,
    primaryKeys: schema.primaryKeys.map(renamed),
    partitionKeys: schema.partitionKeys.map(renamed),
    options: {
      ...schema.options,
      ...(schema.options["bucket-key"] && { "bucket-key": bucketKey(schema).map(renamed).join(",") }),
      ...(schema.options[patternOption] === `$${from}` && { [patternOption]: `$${to}` }),
    },
  };
}

function widenColumn(
  schema: PaimonSchema,
  { name, type, isEmptied }: Extract<SchemaChange, { kind: "widenColumn" }> & { readonly isEmptied: boolean },
): PaimonSchema {
  const field = schema.fields.find((each) => each.name === name);
  if (field === undefined || sameType(field.type, type) || widens(type, field.type)) return schema;
  if (schema.primaryKeys.includes(name) && !isEmptied) throw unsupported(`change the type of its key column ${name}`);
  const isPartition = schema.partitionKeys.includes(name);
  if (isPartition && !isEmptied) throw unsupported(`change the type of its partition column ${name}`);
  if (!widens(field.type, type)) throw unsupported(`change the type of column ${name} in place`);
  return { ...schema, fields: schema.fields.map((each) => each === field ? { ...field, type } : each) };
}

function has(schema: PaimonSchema, name: string): boolean {
  return schema.fields.some((field) => field.name === name);
}

function unsupported(what: string): WeirError {
  return new WeirError("unsupportedSchemaChange", `A Paimon table cannot ${what}`);
}
