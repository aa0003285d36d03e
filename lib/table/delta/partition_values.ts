/**
 * Values of partition columns as the log spells them (Delta protocol, "Partition Value Serialization").
 *
 * Data files do not hold these columns, as those of other writers do not: the log alone says what they are.
 */
import { duckdbType, isInstant, type ScalarType } from "../../dataset/column_type.ts";
import { literal } from "../../engine/quote.ts";
import { WeirError } from "../../errors.ts";
import { singleValue } from "../single_value.ts";
import { daysOf, microsecondsOf } from "../time_text.ts";
import type { AddFile } from "./actions.ts";
import { columnType, type DeltaField, physicalName } from "./schema.ts";

/**
 * The log's text of a value in DuckDB's text form.
 *
 * @throws {WeirError} `unsupportedSchemaChange` for a value that has none: an empty text, which every reader takes for null, and a
 *   time outside of the years 1 to 9999.
 */
export function logText(field: DeltaField, text: string | null): string | null {
  const type = scalarType(field);
  if (text === null) return null;
  if (text === "") throw notPartable(field, "an empty text, which readers take for null");
  if (type.kind === "date" ? daysOf(text) === undefined : isInstant(type) && microsecondsOf(text) === undefined) {
    throw notPartable(field, "a time outside of the years 1 to 9999");
  }
  if (!isInstant(type)) return text;
  const [seconds = "", fraction = ""] = text.replace(/\+00$/, "").split(".");
  const exact = `${seconds}.${fraction.padEnd(6, "0")}`;
  return type.kind === "timestamp" ? exact : `${exact.replace(" ", "T")}Z`;
}

function notPartable({ name }: DeltaField, what: string): WeirError {
  return new WeirError(
    "unsupportedSchemaChange",
    `Column ${name}, by which a Delta table is partitioned, holds ${what}`,
    {
      advice: "Remove the table's folder below delta/ and part it by another column, or leave it out of --partition-by",
    },
  );
}

/** A time zone's offset, or its absence, stands for UTC; some writers leave zeros out. */
const instantPattern = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,6})0*)?)?(?:Z|\+00:?00)?$/;

/** A value of the log in DuckDB's text form. Throws `RangeError` for a text that is no value of the column's type. */
export function plainText(field: DeltaField, value: string | null): string | null {
  if (value === null || value === "") return null;
  const text = plainValue(scalarType(field), value);
  if (text === undefined) throw new RangeError(`a file has a value of partition column ${field.name} that is none`);
  return text;
}

function plainValue(type: ScalarType, value: string): string | undefined {
  switch (type.kind) {
    case "string":
      return value;
    case "boolean":
      return /^(true|false)$/i.test(value) ? value.toLowerCase() : undefined;
    case "int32":
    case "int64":
      return isWhole(value, type.kind === "int32" ? 32 : 64) ? String(BigInt(value)) : undefined;
    case "decimal":
      return decimalText(value, type);
    case "date":
      return daysOf(value) === undefined ? undefined : value;
    default: {
      const [, day, time = "00:00:00", fraction = ""] = instantPattern.exec(value) ?? [];
      const text = `${day} ${time}.${fraction.padEnd(6, "0")}`;
      return microsecondsOf(text) === undefined ? undefined : type.kind === "timestamp" ? text : `${text}+00`;
    }
  }
}

function isWhole(text: string, bits: number): boolean {
  return /^-?\d{1,19}$/.test(text) && BigInt.asIntN(bits, BigInt(text)) === BigInt(text);
}

/** A decimal with exactly so many digits behind the point; other writers leave zeros out. Undefined for one that does not fit. */
export function decimalText(
  text: string,
  of: { readonly precision: number; readonly scale: number },
): string | undefined {
  const [, sign, whole = "", fraction = ""] = /^(-?)0*(\d+?)(?:\.(\d+?)0*)?$/.exec(text) ?? [];
  const digits = fraction.replace(/0+$/, "").padEnd(of.scale, "0");
  const wholeDigits = whole === "0" ? 0 : whole.length;
  if (sign === undefined || digits.length > of.scale || wholeDigits > of.precision - of.scale) return undefined;
  return `${sign}${whole}${of.scale === 0 ? "" : `.${digits}`}`;
}

/** A file's value of a column as SQL. */
export function valueSql(field: DeltaField, { partitionValues }: Pick<AddFile, "partitionValues">): string {
  const text = plainText(field, partitionValues[physicalName(field)] ?? null);
  return text === null ? "NULL" : `CAST(${literal(text)} AS ${duckdbType(scalarType(field))})`;
}

/** A file's value of a column in the form of `single_value.ts`; undefined where it is null. */
export function valueBound(
  field: DeltaField,
  { partitionValues }: Pick<AddFile, "partitionValues">,
): Uint8Array | undefined {
  const text = plainText(field, partitionValues[physicalName(field)] ?? null);
  return text === null ? undefined : singleValue(scalarType(field), text);
}

function scalarType({ type }: DeltaField): ScalarType {
  return columnType(type) as ScalarType;
}
