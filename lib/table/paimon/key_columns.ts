/** How key values leave DuckDB: as SQL expressions whose results are {@linkcode KeyValue}s, exact to the byte. */
import {
  BIGINT,
  BLOB,
  BOOLEAN,
  DOUBLE,
  DuckDBBlobValue,
  type DuckDBType,
  type DuckDBValue,
  FLOAT,
  HUGEINT,
  INTEGER,
} from "@duckdb/node-api";
import type { ColumnType, ScalarType } from "../../dataset/column_type.ts";
import { identifier } from "../../engine/quote.ts";
import { WeirError } from "../../errors.ts";
import type { KeyValue } from "./binary_row.ts";

/** A key column: never a list. */
export interface KeyColumn {
  readonly name: string;
  readonly type: ScalarType;
}

/**
 * The key columns by name.
 *
 * @throws {WeirError} `configuration` where one of them is a list, which no key can hold.
 */
export function keyColumns(
  columns: readonly { readonly name: string; readonly type: ColumnType }[],
  names: readonly string[],
): readonly KeyColumn[] {
  return names.map((name) => {
    const type = columns.find((column) => column.name === name)?.type;
    if (type === undefined || type.kind === "list") {
      throw new WeirError("configuration", `Cannot use column ${name} as a key: it is missing or a list`);
    }
    return { name, type };
  });
}

/**
 * SQL giving a column's value as BinaryRow holds it. Text leaves as its UTF-8 bytes, because the binding drops a leading
 * U+FEFF when it makes a JavaScript string; a decimal leaves unscaled.
 *
 * @param relation Quoted name before the column. Default: none.
 */
export function keyValueSql({ name, type }: KeyColumn, relation?: string): string {
  const column = relation === undefined ? identifier(name) : `${relation}.${identifier(name)}`;
  switch (type.kind) {
    case "string":
      return `encode(${column})`;
    case "date":
      return `(${column} - DATE '1970-01-01')::INTEGER`;
    case "timestamp":
    case "timestamptz":
      return `epoch_us(${column})`;
    case "decimal":
      return `replace(${column}::DECIMAL(${type.precision},${type.scale})::VARCHAR, '.', '')::` +
        (type.precision > 18 ? "HUGEINT" : "BIGINT");
    default:
      return column;
  }
}

/** The DuckDB type of {@linkcode keyValueSql}. */
export function keyValueType(type: ScalarType): DuckDBType {
  switch (type.kind) {
    case "boolean":
      return BOOLEAN;
    case "int32":
    case "date":
      return INTEGER;
    case "float32":
      return FLOAT;
    case "float64":
      return DOUBLE;
    case "string":
    case "binary":
      return BLOB;
    case "decimal":
      return type.precision > 18 ? HUGEINT : BIGINT;
    default:
      return BIGINT;
  }
}

/** `ORDER BY` of keys. The engine's sort makes -0 in a column that it sorts by 0, but not where it sorts by an expression. */
export function keyOrderSql(key: readonly KeyColumn[]): string {
  return key.map(({ name, type: { kind } }) =>
    kind === "float32" || kind === "float64" ? `${identifier(name)} + 0` : identifier(name)
  ).join(", ");
}

/** A result of {@linkcode keyValueSql} as the binding hands it over. */
export function toKeyValue(value: DuckDBValue): KeyValue {
  return value instanceof DuckDBBlobValue ? new Uint8Array(value.bytes) : value as KeyValue;
}

/** Order of keys in files and sections: numbers numerically, bytes unsigned, false before true. */
export function compareKeys(left: readonly KeyValue[], right: readonly KeyValue[]): number {
  for (const [index, value] of left.entries()) {
    const order = compareValues(value, right[index] ?? null);
    if (order !== 0) return order;
  }
  return 0;
}

function compareValues(left: KeyValue, right: KeyValue): number {
  if (left instanceof Uint8Array && right instanceof Uint8Array) return compareBytes(left, right);
  if (left === right) return 0;
  if (left === null || right === null) return left === null ? -1 : 1;
  // NaN stands above every number, as in Java's Double.compare and in DuckDB.
  if (Number.isNaN(left)) return Number.isNaN(right) ? 0 : 1;
  if (Number.isNaN(right)) return -1;
  return left < right ? -1 : left > right ? 1 : 0;
}

function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const shared = Math.min(left.length, right.length);
  for (let index = 0; index < shared; index++) {
    const difference = left[index]! - right[index]!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
