/**
 * Partition values: what all rows of a file agree in (Iceberg spec, "Partitioning").
 *
 * Promise: two values are equal exactly where the columns' are, whatever width a column had when they were written.
 */
import { isInstant, type ScalarType, types } from "../../dataset/column_type.ts";
import { singleValue } from "../single_value.ts";
import { dateText, daysOf, microsecondsOf } from "../time_text.ts";
import type { PartitionField } from "./metadata.ts";
import { columnType, type IcebergSchema } from "./schema.ts";

/** Whole numbers stand for days, for microseconds, and for decimals without their point. */
export type PartitionValue = bigint | string | boolean | null;

/** The type of a field's values. Throws `RangeError` where its column is missing or a list. */
export function partitionType({ fields }: Pick<IcebergSchema, "fields">, field: PartitionField): ScalarType {
  const source = fields.find(({ id }) => id === field["source-id"]);
  const type = source && columnType(source.type);
  if (type === undefined || type.kind === "list") throw new RangeError(`partition field ${field.name} has no column`);
  return field.transform === "day" ? types.date : type;
}

/** The value of a text of DuckDB's. Throws `RangeError` for a time outside of the years 1 to 9999. */
export function partitionValue(type: ScalarType, text: string | null): PartitionValue {
  if (text === null || type.kind === "string") return text;
  if (type.kind === "boolean") return text === "true";
  if (type.kind !== "date" && !isInstant(type)) return BigInt(text.replace(".", ""));
  const value = type.kind === "date" ? daysOf(text) : microsecondsOf(text);
  if (value === undefined) throw new RangeError("A partition value is no time of the years 1 to 9999");
  return BigInt(value);
}

/** For people. */
export function shownValue(type: ScalarType, value: PartitionValue): string | null {
  if (typeof value !== "bigint") return value === null ? null : String(value);
  if (type.kind === "date") return dateText(Number(value));
  if (isInstant(type)) return new Date(Number(value / 1000n)).toISOString();
  if (type.kind !== "decimal" || type.scale === 0) return String(value);
  const digits = String(value).replace("-", "").padStart(type.scale + 1, "0");
  return `${value < 0n ? "-" : ""}${digits.slice(0, -type.scale)}.${digits.slice(-type.scale)}`;
}

/** A value in binary form (`single_value.ts`); null has none. */
export function valueBound(type: ScalarType, value: PartitionValue): Uint8Array | undefined {
  if (value === null) return undefined;
  const stored = type.kind === "date" ? types.int32 : isInstant(type) ? types.int64 : type;
  return singleValue(stored, String(value));
}

/** The Avro type of a field's values (Iceberg spec, Appendix A). */
export function partitionAvro(type: ScalarType, { "field-id": id }: PartitionField): unknown {
  switch (type.kind) {
    case "int32":
      return "int";
    case "int64":
      return "long";
    case "date":
      return { type: "int", logicalType: "date" };
    case "timestamp":
    case "timestamptz":
      return { type: "long", logicalType: "timestamp-micros", "adjust-to-utc": type.kind === "timestamptz" };
    case "decimal": {
      const { precision, scale } = type;
      return {
        type: "fixed",
        size: fixedBytes(precision),
        name: `decimal_${id}`,
        logicalType: "decimal",
        precision,
        scale,
      };
    }
    default:
      return type.kind;
  }
}

/** The fewest bytes that hold every decimal of so many digits. */
function fixedBytes(precision: number): number {
  let bytes = 1;
  while (2n ** BigInt(8 * bytes - 1) < 10n ** BigInt(precision)) bytes++;
  return bytes;
}

/** A value as Avro takes it. */
export function toAvro(type: ScalarType, value: PartitionValue): unknown {
  if (typeof value !== "bigint") return value;
  if (type.kind === "int32" || type.kind === "date") return Number(value);
  if (type.kind !== "decimal") return value;
  const bytes = new Uint8Array(fixedBytes(type.precision));
  for (let index = bytes.length - 1, rest = value; index >= 0; index--, rest >>= 8n) {
    bytes[index] = Number(rest & 0xFFn);
  }
  return bytes;
}

/** A value as Avro gives it, of any of the types. */
export function fromAvro(value: unknown): PartitionValue {
  if (typeof value === "number") return BigInt(value);
  if (!(value instanceof Uint8Array)) return value as PartitionValue;
  return BigInt.asIntN(8 * value.length, value.reduce((sum, byte) => sum << 8n | BigInt(byte), 0n));
}
