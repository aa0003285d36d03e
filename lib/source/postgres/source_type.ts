/** PostgreSQL types as the lake holds them (Iceberg sheet §10: portable by default). */
import { type ColumnType, type ScalarType, types } from "../../dataset/column_type.ts";
import type { ListText } from "./special_values.ts";

/** A column's type with every domain taken off. */
export interface SourceType {
  /** `pg_type.typname` of the base type, or of the element where it is an array. */
  readonly name: string;
  /** Whether `pg_catalog` holds it: a user's type named `date` is not a date. */
  readonly builtIn: boolean;
  readonly isArray: boolean;
  /** `pg_attribute.atttypmod`, or the domain's; -1 where there is none. */
  readonly typeModifier: number;
  /** A base type of an extension, for example `vector` or `citext`. */
  readonly isBase: boolean;
}

/** What a source type becomes. */
export interface LakeType {
  readonly type: ColumnType;
  readonly listText?: ListText;
}

const scalars: Readonly<Record<string, ScalarType>> = {
  bool: types.boolean,
  int2: types.int32,
  int4: types.int32,
  int8: types.int64,
  oid: types.int64,
  float4: types.float32,
  float8: types.float64,
  date: types.date,
  timestamp: types.timestamp,
  timestamptz: types.timestamptz,
  bytea: types.binary,
};

/**
 * The lake's type of a source type. What has no portable type travels as PostgreSQL's text: `uuid`, `time`, `interval`,
 * `json`, enums, ranges, composites, `numeric` without a scale or with more than 38 digits …
 *
 * @example
 * ```ts
 * import { lakeType } from "./source_type.ts";
 * import { types } from "../../dataset/column_type.ts";
 * import assert from "node:assert/strict";
 *
 * const plain = { builtIn: true, isArray: false, isBase: true };
 * // The modifier of numeric(12,2) is ((12 << 16) | 2) + 4.
 * assert.deepEqual(lakeType({ ...plain, name: "numeric", typeModifier: 786_438 }).type, types.decimal(12, 2));
 * assert.deepEqual(lakeType({ ...plain, name: "numeric", typeModifier: -1 }).type, types.string);
 * ```
 */
export function lakeType(source: SourceType): LakeType {
  if (source.isBase && !source.builtIn && !source.isArray && source.name === "vector") {
    return { type: types.list(types.float32), listText: "vector" };
  }
  // Elements of a box array are separated by semicolons.
  if (source.isArray && source.name === "box") return { type: types.string };
  const scalar = scalarType(source);
  return { type: source.isArray ? types.list(scalar) : scalar };
}

function scalarType(source: SourceType): ScalarType {
  if (!source.builtIn) return types.string;
  if (source.name === "numeric") return numericType(source.typeModifier);
  return scalars[source.name] ?? types.string;
}

/** `((precision << 16) | (scale & 0x7ff)) + 4`, the scale being a signed number of 11 bits since PostgreSQL 15. */
function numericType(modifier: number): ScalarType {
  if (modifier < 4) return types.string;
  const precision = ((modifier - 4) >> 16) & 0xffff;
  const scale = (((modifier - 4) & 0x7ff) ^ 1024) - 1024;
  if (scale < 0) return precision - scale <= 38 ? types.decimal(precision - scale, 0) : types.string;
  const digits = Math.max(precision, scale);
  return digits <= 38 ? types.decimal(digits, scale) : types.string;
}
