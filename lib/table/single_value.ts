/** Single values in a binary form that compares (Iceberg spec, Appendix D, "Binary single-value serialization"). */
import type { ScalarType } from "../dataset/column_type.ts";
import { daysOf, microsecondsOf } from "./time_text.ts";

const utf8 = new TextEncoder();

/** One value in binary form, not truncated. Undefined for text that is no finite, plain value of the type. */
export function singleValue(type: ScalarType, text: string): Uint8Array | undefined {
  switch (type.kind) {
    case "boolean":
      return Uint8Array.of(text === "1" || text === "true" ? 1 : 0);
    case "int32":
      return littleEndian(4, (view) => view.setInt32(0, Number(text), true));
    case "int64":
      return littleEndian(8, (view) => view.setBigInt64(0, BigInt(text), true));
    case "float32":
      return floating(4, text);
    case "float64":
      return floating(8, text);
    case "date": {
      const days = daysOf(text);
      return days === undefined ? undefined : littleEndian(4, (view) => view.setInt32(0, days, true));
    }
    case "timestamp":
    case "timestamptz": {
      const micros = microsecondsOf(text);
      return micros === undefined ? undefined : littleEndian(8, (view) => view.setBigInt64(0, micros, true));
    }
    case "decimal":
      return twosComplement(BigInt(text.replace(".", "")));
    case "string":
      return utf8.encode(text);
    case "binary":
      return fromHex(text);
  }
}

/**
 * Orders two bounds of one type: negative, zero or positive. Bounds written before a promotion (int → long, float →
 * double) keep their old width and compare all the same.
 */
export function compareBounds(type: ScalarType, left: Uint8Array, right: Uint8Array): number {
  if (type.kind === "string" || type.kind === "binary") return compareBytes(left, right);
  const [a, b] = [numberOf(type, left), numberOf(type, right)];
  return a < b ? -1 : a > b ? 1 : 0;
}

function numberOf(type: ScalarType, bytes: Uint8Array): bigint | number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (type.kind === "boolean") return view.getUint8(0);
  if (type.kind === "decimal") {
    return bytes.reduce((sum, byte) => sum << 8n | BigInt(byte), view.getInt8(0) < 0 ? -1n : 0n);
  }
  if (type.kind === "float32" || type.kind === "float64") {
    return bytes.length === 4 ? view.getFloat32(0, true) : view.getFloat64(0, true);
  }
  return bytes.length === 4 ? BigInt(view.getInt32(0, true)) : view.getBigInt64(0, true);
}

function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    if (left[index] !== right[index]) return left[index]! - right[index]!;
  }
  return left.length - right.length;
}

function littleEndian(length: number, write: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(length);
  write(new DataView(bytes.buffer));
  return bytes;
}

function floating(length: 4 | 8, text: string): Uint8Array | undefined {
  const value = /^-?inf$/.test(text) ? (text.startsWith("-") ? -Infinity : Infinity) : Number(text);
  if (Number.isNaN(value)) return undefined;
  return littleEndian(
    length,
    (view) => length === 4 ? view.setFloat32(0, value, true) : view.setFloat64(0, value, true),
  );
}

/** Big-endian two's complement in the fewest bytes. */
function twosComplement(value: bigint): Uint8Array {
  let length = 1;
  while (BigInt.asIntN(8 * length, value) !== value) length++;
  return Uint8Array.from({ length }, (_, index) => Number((value >> BigInt(8 * (length - 1 - index))) & 0xFFn));
}

/** Bytes of hexadecimal text; undefined where it is none. */
export function fromHex(text: string): Uint8Array | undefined {
  if (!/^([0-9A-Fa-f]{2})*$/.test(text)) return undefined;
  return Uint8Array.from({ length: text.length / 2 }, (_, index) => parseInt(text.slice(2 * index, 2 * index + 2), 16));
}

/**
 * What a bound stands for: instants in microseconds, dates in days, decimals unscaled. Undefined for bytes of another length
 * than the type has.
 */
export function boundValue(type: ScalarType, bytes: Uint8Array): bigint | number | string | Uint8Array | undefined {
  if (type.kind === "string") return new TextDecoder().decode(bytes);
  if (type.kind === "binary") return bytes;
  const isWhole = type.kind === "decimal" || type.kind === "boolean" ? bytes.length > 0 : [4, 8].includes(bytes.length);
  return isWhole ? numberOf(type, bytes) : undefined;
}
