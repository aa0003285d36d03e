/** JavaScript values as DuckDB takes them. */
import {
  BIGINT,
  BLOB,
  BOOLEAN,
  DATE,
  DECIMAL,
  DOUBLE,
  DuckDBArrayValue,
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBIntervalValue,
  DuckDBListType,
  DuckDBListValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBTimeValue,
  type DuckDBType,
  DuckDBUUIDValue,
  type DuckDBValue,
  FLOAT,
  HUGEINT,
  INTEGER,
  INTERVAL,
  LIST,
  SQLNULL,
  TIME,
  TIMESTAMP,
  TIMESTAMPTZ,
  UUID,
  VARCHAR,
} from "@duckdb/node-api";

/** A value and its type. */
export interface BoundValue {
  readonly value: DuckDBValue;
  readonly type: DuckDBType;
}

/**
 * What DuckDB is given for a value: whole numbers stay whole, a `Date` or `Temporal.Instant` is an instant, bytes are a blob, an
 * array is a list of one type, and DuckDB's own values are taken as they are.
 *
 * @throws {TypeError} If there is no such value in DuckDB, or a list has values of several types.
 * @throws {RangeError} If a `bigint` has more than 127 bits, or a `Date` is no time.
 */
export function boundValue(value: unknown): BoundValue {
  switch (typeof value) {
    case "string":
      return { value, type: VARCHAR };
    case "boolean":
      return { value, type: BOOLEAN };
    case "number":
      return boundNumber(value);
    case "bigint":
      return boundBigint(value);
    case "object":
      return value === null ? { value, type: SQLNULL } : boundObject(value);
    default:
      throw new TypeError(`Cannot bind a value of type ${typeof value}: DuckDB has none like it`);
  }
}

/** Of DuckDB's own values, as chunks and similar rows have them. */
function ownType(value: object): DuckDBType | undefined {
  if (value instanceof DuckDBDecimalValue) return DECIMAL(value.width, value.scale);
  if (value instanceof DuckDBDateValue) return DATE;
  if (value instanceof DuckDBTimestampValue) return TIMESTAMP;
  if (value instanceof DuckDBTimestampTZValue) return TIMESTAMPTZ;
  if (value instanceof DuckDBBlobValue) return BLOB;
  if (value instanceof DuckDBTimeValue) return TIME;
  if (value instanceof DuckDBIntervalValue) return INTERVAL;
  return value instanceof DuckDBUUIDValue ? UUID : undefined;
}

function boundNumber(value: number): BoundValue {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) return { value, type: DOUBLE };
  return value === (value | 0) ? { value, type: INTEGER } : { value: BigInt(value), type: BIGINT };
}

function boundBigint(value: bigint): BoundValue {
  if (BigInt.asIntN(64, value) === value) return { value, type: BIGINT };
  if (BigInt.asIntN(128, value) === value) return { value, type: HUGEINT };
  throw new RangeError("Cannot bind a bigint of more than 127 bits");
}

function boundObject(value: object): BoundValue {
  if (value instanceof Date) return instant(BigInt(dateMs(value)) * 1000n);
  if ("epochNanoseconds" in value) return instant(floorMicroseconds(value.epochNanoseconds as bigint));
  if (value instanceof Uint8Array) return { value: new DuckDBBlobValue(value), type: BLOB };
  if (value instanceof Float32Array) return { value: new DuckDBListValue([...value]), type: LIST(FLOAT) };
  if (value instanceof Float64Array) return { value: new DuckDBListValue([...value]), type: LIST(DOUBLE) };
  if (Array.isArray(value)) return boundList(value);
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue) return boundList(value.items);
  const type = ownType(value);
  if (type !== undefined) return { value: value as DuckDBValue, type };
  throw new TypeError(`Cannot bind a value of class ${value.constructor?.name}: DuckDB has none like it`);
}

function dateMs(date: Date): number {
  const timeMs = date.getTime();
  if (Number.isNaN(timeMs)) throw new RangeError("Cannot bind a Date that is no time");
  return timeMs;
}

function floorMicroseconds(nanoseconds: bigint): bigint {
  const whole = nanoseconds / 1000n;
  return nanoseconds < whole * 1000n ? whole - 1n : whole;
}

function instant(microseconds: bigint): BoundValue {
  return { value: new DuckDBTimestampTZValue(microseconds), type: TIMESTAMPTZ };
}

function boundList(values: readonly unknown[]): BoundValue {
  const items = values.map(boundValue);
  const type = items.reduce<DuckDBType>((all, item) => commonType(all, item.type), SQLNULL);
  return { value: new DuckDBListValue(items.map(({ value }) => widened(value, type))), type: LIST(type) };
}

const numberTypes = [INTEGER, BIGINT, HUGEINT, DOUBLE] as const;

/** One that holds the values of both; NULLs and empty lists have none of their own. */
function commonType(left: DuckDBType, right: DuckDBType): DuckDBType {
  if (left === SQLNULL) return right;
  if (right === SQLNULL || String(left) === String(right)) return left;
  if (left instanceof DuckDBListType && right instanceof DuckDBListType) {
    return LIST(commonType(left.valueType, right.valueType));
  }
  const ranks = [left, right].map((type) => numberTypes.findIndex((known) => known === type));
  if (ranks.includes(-1)) throw new TypeError("Cannot bind an array whose values are of several types");
  return numberTypes[Math.max(...ranks)]!;
}

/** A value as a wider type has it: what is none of its own stays as it is. */
export function widened(value: DuckDBValue, type: DuckDBType): DuckDBValue {
  if (type === DOUBLE && typeof value === "bigint") return Number(value);
  if ((type === BIGINT || type === HUGEINT) && typeof value === "number") return BigInt(value);
  if (type instanceof DuckDBListType && value instanceof DuckDBListValue) {
    return new DuckDBListValue(value.items.map((item) => widened(item, type.valueType)));
  }
  return value;
}
