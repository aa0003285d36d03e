/** The SELECT behind a new data file: every column of the schema in its order, cast to the type that readers expect. */
import type { Relation } from "../../change/relation.ts";
import { identifier } from "../../engine/quote.ts";
import { bucketColumn } from "./deleted_keys.ts";
import { kindColumn, rowKind, sequenceColumn } from "./file_rows_sql.ts";
import { keyColumns, keyOrderSql } from "./key_columns.ts";
import { columnValue, type RowColumns, selectItems } from "../row_columns.ts";
import type { PlacePart } from "./routing.ts";
import { keyInPartition, type PaimonSchema } from "./schema.ts";

/** Rows for one file. */
export interface NewRows {
  readonly schema: PaimonSchema;
  readonly upserts?: Relation;
  /** Relation of full keys whose rows leave the table. */
  readonly deletedKeys?: string | undefined;
  /** SQL giving a row's bucket. */
  readonly bucket?: string;
  /** SQL condition of the partition whose rows they are; undefined for all. */
  readonly partition?: string | undefined;
  /** Present for a keyed table: which place's rows, and their version. */
  readonly version?: {
    readonly part: PlacePart;
    readonly buckets: number;
    readonly sequenceNumber: bigint;
    /** Whether the upserts stand in key order already, as new rows mostly do: sorting wide rows costs half of writing them. */
    readonly isOrdered: boolean;
  };
}

/**
 * A SELECT giving the rows of one file. Those of a keyed table carry their version, stand in key order (numbers
 * numerically, text by unsigned bytes) and leave the key out a second time ("thin mode").
 */
export function newRowsSql(rows: NewRows): string {
  const { schema, upserts, deletedKeys, partition, version } = rows;
  const whose = (bucket?: string) => {
    const conditions = [partition, bucket].filter((condition) => condition !== undefined);
    return conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
  };
  if (version === undefined) {
    return `SELECT ${selectItems(upsertColumns(schema, upserts!))} FROM ${identifier(upserts!.name)}${whose()}`;
  }
  const { part, buckets, sequenceNumber, isOrdered } = version;
  const versionColumns = (kind: number) => [
    `${sequenceNumber}::BIGINT AS ${identifier(sequenceColumn)}`,
    `${kind}::TINYINT AS ${identifier(kindColumn)}`,
  ];
  const selects: string[] = [];
  if (upserts !== undefined) {
    const columns = [...versionColumns(rowKind.insert), selectItems(upsertColumns(schema, upserts))];
    const ofPlace = whose(buckets === 1 ? undefined : `${rows.bucket} = ${part.place.bucket}`);
    selects.push(`SELECT ${columns.join(", ")} FROM ${identifier(upserts.name)}${ofPlace}`);
  }
  if (deletedKeys !== undefined && part.deletedRows > 0n) {
    const columns = [...versionColumns(rowKind.delete), selectItems(deletedColumns(schema))];
    const ofPlace = whose(`${identifier(bucketColumn)} = ${part.place.bucket}`);
    selects.push(`SELECT ${columns.join(", ")} FROM ${identifier(deletedKeys)}${ofPlace}`);
  }
  if (isOrdered && selects.length === 1) return selects[0]!;
  const key = keyColumns(schema.fields, keyInPartition(schema));
  return `SELECT * FROM (${selects.join(" UNION ALL ")}) ORDER BY ${keyOrderSql(key)}`;
}

/** What the columns of the schema hold of upserts. */
export function upsertColumns({ fields }: PaimonSchema, { definition }: Relation): RowColumns {
  return new Map(fields.map((field) => [field.name, columnValue(definition, field)]));
}

function deletedColumns({ fields, primaryKeys }: PaimonSchema): RowColumns {
  const columns = fields.filter(({ name }) => primaryKeys.includes(name));
  return new Map(fields.map((field) => [field.name, columnValue({ columns }, field)]));
}
