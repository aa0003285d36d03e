/** A table's schema file `schema/schema-<id>` (Paimon `TableSchema`, `SchemaSerializer`), version 3. */
import type { Column } from "../../dataset/column.ts";
import { type ColumnType, sameType } from "../../dataset/column_type.ts";
import type { TableDefinition } from "../../dataset/dataset.ts";
import { WeirError } from "../../errors.ts";
import { parseJson, stringifyJson } from "../lossless_json.ts";
import { fromPaimonType, toPaimonType } from "./column_types.ts";
import { unreadableOption } from "./foreign_options.ts";
import { choosePartition, isPartitionType, partitionNameOptions } from "./partitioning.ts";

/** One column. Its id never changes and is never used again. */
export interface PaimonField {
  readonly id: number;
  readonly name: string;
  readonly type: ColumnType;
  readonly nullable: boolean;
  readonly doc?: string;
}

/** One version of a table's schema. */
export interface PaimonSchema {
  readonly id: number;
  readonly fields: readonly PaimonField[];
  readonly highestFieldId: number;
  /** In the order of the fields, as pypaimon expects. Empty: rows are only ever appended. */
  readonly primaryKeys: readonly string[];
  /** Columns by whose values rows are partitioned; with a key all of them are of it. They never change. */
  readonly partitionKeys: readonly string[];
  readonly options: Readonly<Record<string, string>>;
  /** Epoch milliseconds. */
  readonly timeMillis: number;
}

/**
 * The first schema of a table. Columns outside the key are nullable whatever the definition says: a row that marks a
 * deletion holds its key alone.
 *
 * @param options.buckets Buckets of a table with a key, in each partition.
 * @param options.partitionOptions Further table options, where the table is partitioned.
 * @throws {WeirError} `configuration` for a column name that Paimon keeps for itself, or that rows cannot be partitioned by.
 */
export function firstSchema(
  definition: TableDefinition,
  options: {
    readonly buckets: number;
    readonly timeMillis: number;
    readonly partitionOptions?: Readonly<Record<string, string>>;
  },
): PaimonSchema {
  const { columns, colocation } = definition;
  const fields = columns.map((column, id) => toField(column, { id, nullable: !definition.key.includes(column.name) }));
  const primaryKeys = columns.map(({ name }) => name).filter((name) => definition.key.includes(name));
  const partitionKeys = choosePartition(definition).columns;
  const bucketKey = colocation?.filter((name) => !partitionKeys.includes(name)) ?? [];
  return {
    id: 0,
    fields,
    highestFieldId: fields.length - 1,
    primaryKeys,
    partitionKeys,
    options: {
      ...bucketOptions(primaryKeys, { buckets: options.buckets, bucketKey }),
      // Compaction is ours alone: `write-only` keeps other writers from starting one.
      ...{ "file.format": "parquet", "file.compression": "zstd", "write-only": "true" },
      ...(partitionKeys.length === 0 ? {} : { ...partitionNameOptions, ...options.partitionOptions }),
    },
    timeMillis: options.timeMillis,
  };
}

function bucketOptions(
  primaryKeys: readonly string[],
  { buckets, bucketKey }: { readonly buckets: number; readonly bucketKey: readonly string[] },
): Readonly<Record<string, string>> {
  if (primaryKeys.length === 0) return { bucket: "-1" };
  const colocation = bucketKey.length === 0 ? {} : { "bucket-key": bucketKey.join(",") };
  return { bucket: String(buckets), ...colocation, "data-file.thin-mode": "true" };
}

/** Names with a meaning of their own in Paimon (`SpecialFields`). */
const reservedName = /^(_SEQUENCE_NUMBER|_VALUE_KIND|_LEVEL|rowkind|_ROW_ID|_KEY_.*)$/;

/** Throws `configuration` naming a column that a mirror in Paimon cannot have. */
export function refuseReserved(
  { namespace, name: table }: { readonly namespace: string; readonly name: string },
  columns: readonly Pick<Column, "name">[],
): void {
  const column = columns.find(({ name }) => reservedName.test(name));
  if (column === undefined) return;
  throw new WeirError(
    "configuration",
    `Cannot mirror ${namespace}.${table} as Paimon: it keeps the column name ${column.name} for itself`,
    {
      detail: { table: `${namespace}.${table}` },
      advice: "Rename the column at the source, or leave paimon out of --mirror",
    },
  );
}

/** A column as a field. */
export function toField(column: Column, as: { readonly id: number; readonly nullable: boolean }): PaimonField {
  if (reservedName.test(column.name)) {
    throw new WeirError("configuration", `Cannot use the column name ${column.name}: Paimon keeps it for itself`);
  }
  const doc = column.doc === undefined ? {} : { doc: column.doc };
  return { id: as.id, name: column.name, type: column.type, nullable: as.nullable, ...doc };
}

/** The schema's columns as the rest of the code knows them. */
export function schemaColumns(schema: PaimonSchema): readonly Column[] {
  return schema.fields.map(({ name, type, nullable, doc }) => ({
    name,
    type,
    nullable,
    ...(doc === undefined ? {} : { doc }),
  }));
}

/** Number of buckets, or -1 for a table without a key. */
export function bucketCount(schema: PaimonSchema): number {
  return Number(schema.options.bucket ?? -1);
}

/** Highest level of a bucket's sorted runs (Paimon `num-levels` counts level 0). */
export function maxLevel({ options }: PaimonSchema): number {
  const trigger = Number(options["num-sorted-run.compaction-trigger"] ?? 5);
  return Number(options["num-levels"] ?? trigger + 1) - 1;
}

/** The key inside a partition: without the columns that are the same in all of it (Paimon's "trimmed" key). */
export function keyInPartition({ primaryKeys, partitionKeys }: PaimonSchema): readonly string[] {
  return primaryKeys.filter((name) => !partitionKeys.includes(name));
}

/** Columns whose values decide the bucket. */
export function bucketKey(schema: PaimonSchema): readonly string[] {
  return schema.options["bucket-key"]?.split(",") ?? keyInPartition(schema);
}

/** Whether two schemas hold the same columns under the same key, whatever their ids. */
export function sameColumns(left: PaimonSchema, right: PaimonSchema): boolean {
  return left.fields.length === right.fields.length && String(left.primaryKeys) === String(right.primaryKeys) &&
    left.fields.every((field, index) => sameField({ ...field, id: right.fields[index]!.id }, right.fields[index]!));
}

/** Whether two schemas describe the same table, whenever they were written and under whatever id. */
export function sameSchema(left: PaimonSchema, right: PaimonSchema): boolean {
  const options = (schema: PaimonSchema) =>
    [schema.options.bucket, bucketKey(schema), schema.primaryKeys, schema.partitionKeys].join("|");
  return left.fields.length === right.fields.length &&
    left.fields.every((field, index) => sameField(field, right.fields[index]!)) &&
    options(left) === options(right);
}

function sameField(left: PaimonField, right: PaimonField): boolean {
  return left.id === right.id && left.name === right.name && sameType(left.type, right.type) &&
    left.nullable === right.nullable;
}

/** The schema file's bytes. */
export function encodeSchema(schema: PaimonSchema): Uint8Array {
  const fields = schema.fields.map(({ id, name, type, nullable, doc }) => ({
    id,
    name,
    type: toPaimonType(type, nullable),
    ...(doc === undefined ? {} : { description: doc }),
  }));
  return new TextEncoder().encode(stringifyJson({ version: 3, ...schema, fields }));
}

/**
 * Reads a schema file.
 *
 * @throws {SyntaxError | RangeError} If the bytes are no schema, or one with features that no table of ours has.
 */
export function decodeSchema(bytes: Uint8Array): PaimonSchema {
  const json = parseJson(new TextDecoder().decode(bytes)) as Record<string, unknown>;
  const { id, highestFieldId, primaryKeys, partitionKeys, options, timeMillis } = json;
  if (typeof id !== "number" || !Array.isArray(json.fields) || !Array.isArray(primaryKeys)) {
    throw new RangeError("Cannot read the schema: id, fields or primaryKeys are missing");
  }
  const fields = json.fields.map(decodeField);
  const schema = {
    id,
    fields,
    highestFieldId: Number(highestFieldId),
    primaryKeys: primaryKeys.map(String),
    partitionKeys: decodePartitionKeys(partitionKeys, fields),
    options: (options ?? {}) as Record<string, string>,
    timeMillis: Number(timeMillis ?? 0),
  };
  const option = unreadableOption(schema);
  if (option !== undefined) throw new RangeError(`Cannot read the schema: ${option} is not supported`);
  return schema;
}

function decodePartitionKeys(json: unknown, fields: readonly PaimonField[]): readonly string[] {
  const names = Array.isArray(json) ? json.map(String) : [];
  for (const name of names) {
    const type = fields.find((field) => field.name === name)?.type;
    if (type !== undefined && isPartitionType(type)) continue;
    throw new RangeError(
      `Cannot read the schema: partitions by column ${name} of type ${type?.kind} are not supported`,
    );
  }
  return names;
}

function decodeField(json: unknown): PaimonField {
  const { id, name, type, description } = json as Record<string, unknown>;
  if (typeof id !== "number" || typeof name !== "string") throw new RangeError("Cannot read the schema: a bad field");
  return { id, name, ...fromPaimonType(type), ...(typeof description === "string" ? { doc: description } : {}) };
}
