/**
 * By which columns' values the rows of a table are partitioned into folders (Paimon `PartitionPathUtils`,
 * `InternalRowPartitionComputer`).
 *
 * Promise: readers find a file by the folder that they compute from its partition, so the folder is what they compute, to the
 * character. Only types are taken whose text is one and the same to all of them.
 */
import type { ColumnType, ScalarType } from "../../dataset/column_type.ts";
import type { TableDefinition } from "../../dataset/dataset.ts";
import { partitionColumns } from "../../dataset/partition_columns.ts";
import { identifier } from "../../engine/quote.ts";
import { WeirError } from "../../errors.ts";
import { deserializeRow, emptyRow, type KeyValue, serializeRow } from "./binary_row.ts";
import { compareKeys, type KeyColumn, keyColumns } from "./key_columns.ts";
import type { SimpleStatistics } from "./manifest.ts";
import type { PaimonSchema } from "./schema.ts";

/** Where rows stand in a table: in a partition, and in a bucket of it. */
export interface Place {
  /** Serialized BinaryRow of the partition columns. */
  readonly partition: Uint8Array;
  readonly bucket: number;
  /** Tells it from every other place of the table. */
  readonly id: string;
  /** Folder of its files below the table's. */
  readonly folder: string;
}

/** Without it Java names the folder of a date by its days since 1970, and pypaimon 1.x does not find it. */
export const partitionNameOptions: Readonly<Record<string, string>> = { "partition.legacy-name": "false" };

const partitionTypes: readonly ScalarType["kind"][] = ["string", "int32", "int64", "date", "boolean"];

/** Whether rows can be partitioned by the values of a column. */
export function isPartitionType({ kind }: ColumnType): boolean {
  return partitionTypes.some((each) => each === kind);
}

/** The columns that a new table is partitioned by, or why it is not although its definition wants it. */
export interface PartitionChoice {
  readonly columns: readonly string[];
  /** For people; undefined where all is as the definition wants it. */
  readonly objection?: string;
}

/**
 * The columns that a new table of a definition is partitioned by: those that it names, or none where they are not all of the key, or all
 * that it has (a key must stand in one partition alone, and Paimon wants more of it than that), or where one has no text that all
 * readers share.
 *
 * @throws {WeirError} `configuration` as {@linkcode partitionColumns} does.
 */
export function choosePartition(definition: TableDefinition): PartitionChoice {
  const { key } = definition;
  const wanted = partitionColumns(definition);
  const columns = wanted.map(({ name }) => name);
  const textless = wanted.find(({ type }) => !isPartitionType(type));
  if (textless !== undefined) {
    return { columns: [], objection: `readers spell a ${textless.type.kind} such as ${textless.name} in several ways` };
  }
  const isPart = key.length === 0 || (columns.every((name) => key.includes(name)) && columns.length < key.length);
  return isPart
    ? { columns }
    : { columns: [], objection: `${columns.join(", ")} must be some of its key's columns, and not all` };
}

/** The partitions of one table. */
export class Partitioning {
  readonly columns: readonly KeyColumn[];
  readonly #types: readonly ScalarType[];
  readonly #defaultName: string;
  readonly #isLegacy: boolean;

  constructor({ fields, partitionKeys, options }: Pick<PaimonSchema, "fields" | "partitionKeys" | "options">) {
    this.columns = keyColumns(fields, partitionKeys);
    this.#types = this.columns.map(({ type }) => type);
    this.#defaultName = options["partition.default-name"] ?? "__DEFAULT_PARTITION__";
    this.#isLegacy = options["partition.legacy-name"] !== "false";
  }

  /**
   * A bucket of the partition of these values, for rows to be written.
   *
   * @throws {WeirError} `unsupportedSchemaChange` for a text that no file system takes as a folder's name.
   */
  placeOf(values: readonly KeyValue[], bucket: number): Place {
    const place = this.place(serializeRow(this.#types, values), bucket);
    for (const [index, name] of place.folder.split("/").slice(0, -1).entries()) {
      if (new TextEncoder().encode(name).length > mostNameBytes) throw nameless(this.columns[index]!);
    }
    return place;
  }

  /** A bucket of a partition. */
  place(partition: Uint8Array, bucket: number): Place {
    const folders = this.values(partition).map((value, index) => this.#folder(this.columns[index]!, value));
    const folder = [...folders, `bucket-${bucket}`].join("/");
    return { partition, bucket, folder, id: placeId(partition, bucket) };
  }

  /** The values of a partition. */
  values(partition: Uint8Array): readonly KeyValue[] {
    return deserializeRow(this.#types, partition);
  }

  /** SQL condition that tells the rows of a partition from others, of a table of these columns; undefined for all rows. */
  conditionSql(partition: Uint8Array): string | undefined {
    const conditions = this.values(partition).map((value, index) => {
      const { name, type } = this.columns[index]!;
      return `${identifier(name)} ${value === null ? "IS NULL" : `= ${valueSql(type, value)}`}`;
    });
    return conditions.length === 0 ? undefined : conditions.join(" AND ");
  }

  /** Exact bounds of some partitions, at least one. */
  statistics(partitions: readonly Uint8Array[]): SimpleStatistics {
    const rows = partitions.map((partition) => this.values(partition));
    const bounds = this.#types.map((_, index) => {
      const present = rows.map((row) => row[index]!).filter((value) => value !== null);
      const [first = null] = present;
      return {
        min: present.reduce((least, value) => compareKeys([value], [least]) < 0 ? value : least, first),
        max: present.reduce((most, value) => compareKeys([value], [most]) > 0 ? value : most, first),
        nulls: BigInt(rows.length - present.length),
      };
    });
    return {
      _MIN_VALUES: serializeRow(this.#types, bounds.map(({ min }) => min)),
      _MAX_VALUES: serializeRow(this.#types, bounds.map(({ max }) => max)),
      _NULL_COUNTS: bounds.map(({ nulls }) => nulls),
    };
  }

  #folder({ name, type }: KeyColumn, value: KeyValue): string {
    const text = this.#isLegacy && type.kind === "date" && value !== null ? String(value) : partitionText(type, value);
    return `${escaped(name)}=${escaped(text === undefined || isBlank(text) ? this.#defaultName : text)}`;
  }
}

/** Of a file or folder, on nearly every file system. */
const mostNameBytes = 255;

function nameless({ name }: KeyColumn): WeirError {
  const what = `a text too long for a folder's name of ${mostNameBytes} bytes`;
  return new WeirError(
    "unsupportedSchemaChange",
    `Column ${name}, by which a Paimon table is partitioned, holds ${what}`,
    {
      advice:
        "Remove the table's folder below paimon/ and part it by another column, or leave it out of --partition-by",
    },
  );
}

/** Of a table that is not partitioned. */
export const unpartitioned: Partitioning = new Partitioning({ fields: [], partitionKeys: [], options: {} });

/** The one place of such a table without a key. */
export const onlyPlace: Place = unpartitioned.placeOf([], 0);

/** {@linkcode Place.id} of what an entry of a manifest says. */
export function placeId(partition: Uint8Array, bucket: number): string {
  return partition.length === emptyRow.length ? String(bucket) : `${partition.toHex()}/${bucket}`;
}

/** A partition value as people and folders spell it; undefined for none. */
export function partitionText(type: ScalarType, value: KeyValue): string | undefined {
  if (value === null) return undefined;
  if (value instanceof Uint8Array) return new TextDecoder("utf-8", { ignoreBOM: true }).decode(value);
  return type.kind === "date" ? dateText(value as number) : String(value);
}

/** Paimon writes four digits of a year, however many it has. */
function dateText(days: number): string {
  const date = new Date(days * 86_400_000);
  const digits = (value: number, width: number) => String(value % 10 ** width).padStart(width, "0");
  return `${digits(date.getUTCFullYear(), 4)}-${digits(date.getUTCMonth() + 1, 2)}-${digits(date.getUTCDate(), 2)}`;
}

function valueSql(type: ScalarType, value: NonNullable<KeyValue>): string {
  if (value instanceof Uint8Array) return `decode(unhex('${value.toHex()}'))`;
  return type.kind === "date" ? `(DATE '1970-01-01' + ${value})` : String(value);
}

/** Java's `Character.isWhitespace` below U+2000, and those of typesetters. */
const blanks =
  "\t\n\v\f\r\x1c\x1d\x1e\x1f \u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2008\u2009\u200a\u2028\u2029\u205f\u3000";

function isBlank(text: string): boolean {
  return [...text].every((character) => blanks.includes(character));
}

const unsafe = `"#%'*/:=?\\{}[]^\x7f`;

function escaped(text: string): string {
  return [...text].map((character) => {
    if (character >= " " && !unsafe.includes(character)) return character;
    return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
  }).join("");
}
