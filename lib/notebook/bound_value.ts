/** JavaScript values as DuckDB takes them. */
import {
  BIGINT,
  BLOB,
  BOOLEAN,
  DOUBLE,
  DuckDBArrayValue,
  DuckDBBlobValue,
  DuckDBListValue,
  DuckDBTimestampTZValue,
  type DuckDBType,
  type DuckDBValue,
  FLOAT,
  HUGEINT,
  INTEGER,
  LIST,
  SQLNULL,
  TIMESTAMPTZ,
  VARCHAR,
} from "@duckdb/node-api";

/** A value and its type; without one DuckDB's own values know theirs. */
export interface BoundValue {
  readonly value: DuckDBValue;
  readonly type: DuckDBType | undefined;
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
  if (/^DuckDB\w+Value$/.test(value.constructor?.name ?? "")) return { value: value as DuckDBValue, type: undefined };
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
  const wide = widestNumber(items.map(({ type }) => type));
  const widened = wide === undefined ? items : items.map(({ value }) => widenedTo(wide, value));
  const known = widened.filter(({ value }) => value !== null);
  const type = known[0]?.type;
  if (known.some((item) => String(item.type) !== String(type) || item.type === undefined)) {
    throw new TypeError("Cannot bind an array whose values are of several types");
  }
  return { value: new DuckDBListValue(widened.map(({ value }) => value)), type: LIST(type ?? INTEGER) };
}

const numberTypes = [INTEGER, BIGINT, HUGEINT, DOUBLE] as const;

/** Undefined where these are no numbers alone. */
function widestNumber(types: readonly (DuckDBType | undefined)[]): DuckDBType | undefined {
  const ranks = types.filter((type) => type !== SQLNULL)
    .map((type) => numberTypes.findIndex((known) => known === type));
  return ranks.length === 0 || ranks.includes(-1) ? undefined : numberTypes[Math.max(...ranks)];
}

function widenedTo(type: DuckDBType, value: DuckDBValue): BoundValue {
  if (value === null) return { value, type };
  if (type === DOUBLE) return { value: Number(value), type };
  return { value: type === INTEGER ? value : BigInt(value as number | bigint), type };
}
