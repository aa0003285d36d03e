/**
 * Buckets computed where the rows are. Whole-number keys are hashed in SQL (0.1 µs a row); every other key by a function of
 * ours that DuckDB calls with 2,048 keys at a time (0.7 µs a row), so that there is one encoding of such rows.
 */
import { DuckDBScalarFunction, INTEGER } from "@duckdb/node-api";
import type { Connection } from "../../engine/connection.ts";
import { encodeRow } from "./binary_row.ts";
import { hashRow } from "./bucket.ts";
import { type KeyColumn, keyValueSql, keyValueType, toKeyValue } from "./key_columns.ts";

const registered = new WeakMap<Connection, Set<string>>();

/**
 * SQL giving the bucket of a row, INTEGER.
 *
 * @param key Columns of the bucket key, in its order.
 * @param options.buckets Number of buckets.
 * @param options.connection Where the expression will run.
 */
export async function bucketSql(
  key: readonly KeyColumn[],
  options: { readonly buckets: number; readonly connection: Connection },
): Promise<string> {
  if (options.buckets === 1) return "0::INTEGER";
  const whole = key.every(({ type }) => type.kind === "int32" || type.kind === "int64" || type.kind === "date");
  const hash = whole ? wholeNumberHashSql(key) : await functionHashSql(key, options.connection);
  return `abs(${hash} % ${options.buckets})::INTEGER`;
}

async function functionHashSql(key: readonly KeyColumn[], connection: Connection): Promise<string> {
  const types = key.map(({ type }) => type);
  const name = `weir_paimon_hash_${types.map(typeName).join("_")}`;
  const names = registered.get(connection) ?? new Set();
  registered.set(connection, names);
  if (!names.has(name)) {
    const hash = hashFunction(name, types);
    await connection.exclusively((native) => native.registerScalarFunction(hash));
    names.add(name);
  }
  return `${name}(${key.map((column) => keyValueSql(column)).join(", ")})`;
}

function hashFunction(name: string, types: readonly KeyColumn["type"][]): DuckDBScalarFunction {
  return DuckDBScalarFunction.create({
    name,
    returnType: INTEGER,
    parameterTypes: types.map(keyValueType),
    mainFunction: (_info, input, output) => {
      const columns = types.map((_, index) => input.getColumnVector(index));
      for (let row = 0; row < input.rowCount; row++) {
        const values = columns.map((column) => toKeyValue(column.getItem(row)));
        output.setItem(row, hashRow(encodeRow(types, values)));
      }
      output.flush();
    },
  });
}

function typeName(type: KeyColumn["type"]): string {
  return type.kind === "decimal" ? `decimal${type.precision}` : type.kind;
}

const mask = "4294967295::UBIGINT";

/** The words of a row of whole numbers, hashed: the 8 header bytes are zero, then one slot a column. */
function wholeNumberHashSql(key: readonly KeyColumn[]): string {
  const words = key.flatMap((column) => {
    const value = `${keyValueSql(column)}::BIGINT`;
    const low = `((${value} & 4294967295::BIGINT)::UBIGINT)`;
    const high = column.type.kind === "int64" ? `(((${value} >> 32) & 4294967295::BIGINT)::UBIGINT)` : "0::UBIGINT";
    return [low, high];
  });
  const hash = ["0::UBIGINT", "0::UBIGINT", ...words].reduce(mixSql, "42::UBIGINT");
  // The sign bit of 32 moved to the sign of 64, without naming the long expression twice.
  return `(xor(${finishSql(hash, 4 * (words.length + 2))}, 2147483648::UBIGINT)::BIGINT - 2147483648)`;
}

/** 32-bit product: both factors are below 2^32, so UBIGINT holds it. */
function timesSql(left: string, right: number): string {
  return `((${left} * ${right}::UBIGINT) & ${mask})`;
}

/** Rotation: `x * (2^32 + 1)` is x beside itself, shifted right once instead of naming x twice. */
function rotateSql(value: string, bits: number): string {
  return `(((${value} * 4294967297::UBIGINT) >> ${32 - bits}) & ${mask})`;
}

function mixSql(hash: string, word: string): string {
  const mixed = timesSql(rotateSql(timesSql(word, 0xcc9e2d51), 15), 0x1b873593);
  return `((${rotateSql(`xor(${hash}, ${mixed})`, 13)} * 5 + ${0xe6546b64}) & ${mask})`;
}

function finishSql(hash: string, bytes: number): string {
  // A lambda names the long expression once: written out it stands there eight times, and takes 100 ms to plan.
  const shifted = (value: string, bits: number) => `list_transform([${value}], lambda h: xor(h, h >> ${bits}))[1]`;
  const first = timesSql(shifted(`xor(${hash}, ${bytes}::UBIGINT)`, 16), 0x85ebca6b);
  return shifted(timesSql(shifted(first, 13), 0xc2b2ae35), 16);
}
