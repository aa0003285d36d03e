/**
 * The names that columns have inside data files.
 *
 * Promise: a column's name in files never changes, and no other column ever had it. Iceberg itself goes by field ids; formats
 * that find columns by name can be told of the same files because of it.
 */
import { currentSchema, type TableMetadata } from "./metadata.ts";
import { ownProperties } from "./properties.ts";
import type { IcebergField, IcebergSchema } from "./schema.ts";

/** By field id, of columns that are called otherwise now, or are no more. */
export type FileNames = Readonly<Record<string, string>>;

/** What a table has recorded. */
export function fileNames({ properties }: Pick<TableMetadata, "properties">): FileNames {
  const text = properties[ownProperties.fileNames];
  return text === undefined ? {} : JSON.parse(text) as FileNames;
}

/** The name of a column in files. */
export function fileName(names: FileNames, { id, name }: Pick<IcebergField, "id" | "name">): string {
  return names[id] ?? name;
}

/** What is recorded once a table's schema becomes this one. */
export function nextFileNames(metadata: TableMetadata, schema: IcebergSchema): FileNames {
  const before = currentSchema(metadata);
  const next: Record<string, string> = { ...fileNames(metadata) };
  const nowCalled = new Map(schema.fields.map(({ id, name }) => [id, name]));
  for (const field of before.fields) {
    const inFiles = fileName(next, field);
    if (nowCalled.get(field.id) === inFiles) delete next[field.id];
    else next[field.id] = inFiles;
  }
  const known = new Set(before.fields.map(({ id }) => id));
  const added = schema.fields.filter(({ id }) => !known.has(id) && next[id] === undefined);
  for (const { id, name } of added) {
    const free = freeName(name, takenNames(metadata, next, id));
    if (free !== name) next[id] = free;
  }
  return next;
}

/** Names of other columns, past ones too. Readers may take upper and lower case for the same. */
function takenNames({ schemas }: TableMetadata, names: FileNames, id: number): ReadonlySet<string> {
  const others = schemas.flatMap(({ fields }) => fields).filter((field) => field.id !== id);
  const recorded = Object.entries(names).filter(([other]) => other !== String(id)).map(([, name]) => name);
  return new Set([...recorded, ...others.map((field) => fileName(names, field))].map((name) => name.toLowerCase()));
}

function freeName(name: string, taken: ReadonlySet<string>): string {
  let free = name;
  for (let count = 2; taken.has(free.toLowerCase()); count++) free = `${name}_${count}`;
  return free;
}

/** The schema's columns under the names that files have. */
export function schemaInFiles(schema: IcebergSchema, names: FileNames): IcebergSchema {
  return { ...schema, fields: schema.fields.map((field) => ({ ...field, name: fileName(names, field) })) };
}
