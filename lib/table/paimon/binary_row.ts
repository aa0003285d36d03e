/**
 * BinaryRow, the row format inside Paimon's metadata: keys, partitions, statistics, and the bytes that buckets are hashed
 * from (Paimon `BinaryRow`, `BinaryRowWriter`, `SerializationUtils`).
 *
 * Promise: encodings are canonical, because readers compare and hash them as bytes.
 */
import type { ScalarType } from "../../dataset/column_type.ts";

/**
 * A value as BinaryRow holds it: `int32` and `date` (days since 1970-01-01) as number, `int64`, `decimal` (unscaled),
 * `timestamp` and `timestamptz` (microseconds since 1970) as bigint, `string` (UTF-8) and `binary` as bytes.
 */
export type KeyValue = null | boolean | number | bigint | Uint8Array;

const slotBytes = 8;
/** A short string or binary stands inside its slot. */
const inlineBytes = 7;
/** Longest unscaled decimal that fits a slot. */
const compactDecimalDigits = 18;

/** Bytes of the header and null bits before the first slot. */
function headerBytes(arity: number): number {
  return Math.floor((arity + 63 + 8) / 64) * 8;
}

/** The row alone, without arity prefix: what a bucket hash is computed over. */
export function encodeRow(types: readonly ScalarType[], values: readonly KeyValue[]): Uint8Array {
  const header = headerBytes(types.length);
  const fixed = header + slotBytes * types.length;
  const pieces = types.map((type, index) => variablePart(type, values[index] ?? null));
  const row = new Uint8Array(pieces.reduce((sum, piece) => sum + (piece?.reserved ?? 0), fixed));
  const view = new DataView(row.buffer);
  let free = fixed;
  for (const [index, type] of types.entries()) {
    const value = values[index] ?? null;
    const slot = header + slotBytes * index;
    const piece = pieces[index];
    if (value === null) row[(index + 8) >> 3]! |= 1 << ((index + 8) & 7);
    else if (piece === undefined) writeSlot(view, { slot, type, value });
    else {
      row.set(piece.bytes, free);
      view.setInt32(slot, piece.first, true);
      view.setInt32(slot + 4, free, true);
      free += piece.reserved;
    }
  }
  return row;
}

/** The row with its arity before it (int32 big-endian), the form kept in metadata. */
export function serializeRow(types: readonly ScalarType[], values: readonly KeyValue[]): Uint8Array {
  const row = encodeRow(types, values);
  const serialized = new Uint8Array(4 + row.length);
  new DataView(serialized.buffer).setInt32(0, types.length);
  serialized.set(row, 4);
  return serialized;
}

/** The row of no columns: partition of an unpartitioned table, statistics that are not kept. */
export const emptyRow: Uint8Array = serializeRow([], []);

/** A part outside the slot: its bytes, the room kept for it, and what stands in the slot before its offset. */
interface VariablePart {
  readonly bytes: Uint8Array;
  readonly reserved: number;
  readonly first: number;
}

function variablePart(type: ScalarType, value: KeyValue): VariablePart | undefined {
  if (value === null) return undefined;
  if (value instanceof Uint8Array) {
    if (value.length <= inlineBytes) return undefined;
    return { bytes: value, reserved: Math.ceil(value.length / 8) * 8, first: value.length };
  }
  if (type.kind === "decimal" && type.precision > compactDecimalDigits) {
    const bytes = minimalTwosComplement(value as bigint);
    return { bytes, reserved: 16, first: bytes.length };
  }
  if (type.kind !== "timestamp" && type.kind !== "timestamptz") return undefined;
  const millis = floorDivide(value as bigint, 1000n);
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, millis, true);
  return { bytes, reserved: 8, first: Number((value as bigint) - millis * 1000n) * 1000 };
}

function writeSlot(view: DataView, at: { slot: number; type: ScalarType; value: NonNullable<KeyValue> }): void {
  const { slot, type, value } = at;
  if (value instanceof Uint8Array) {
    for (const [index, byte] of value.entries()) view.setUint8(slot + index, byte);
    view.setUint8(slot + inlineBytes, 0x80 | value.length);
  } else if (typeof value === "boolean") view.setUint8(slot, value ? 1 : 0);
  else if (typeof value === "bigint") view.setBigInt64(slot, value, true);
  else if (type.kind === "float32") view.setFloat32(slot, value, true);
  else if (type.kind === "float64") view.setFloat64(slot, value, true);
  else view.setInt32(slot, value, true);
}

/** Reads what {@linkcode serializeRow} wrote. Throws `RangeError` where the bytes do not hold these types. */
export function deserializeRow(types: readonly ScalarType[], serialized: Uint8Array): readonly KeyValue[] {
  const view = new DataView(serialized.buffer, serialized.byteOffset, serialized.byteLength);
  if (view.getInt32(0) !== types.length) throw new RangeError("Cannot read a BinaryRow: its number of columns differs");
  const row = new DataView(serialized.buffer, serialized.byteOffset + 4, serialized.byteLength - 4);
  const header = headerBytes(types.length);
  return types.map((type, index) => {
    const isNull = (row.getUint8((index + 8) >> 3) & (1 << ((index + 8) & 7))) !== 0;
    return isNull ? null : readSlot(row, header + slotBytes * index, type);
  });
}

function readSlot(row: DataView, slot: number, type: ScalarType): KeyValue {
  switch (type.kind) {
    case "boolean":
      return row.getUint8(slot) !== 0;
    case "int32":
    case "date":
      return row.getInt32(slot, true);
    case "float32":
      return row.getFloat32(slot, true);
    case "float64":
      return row.getFloat64(slot, true);
    case "string":
    case "binary":
      return readBytes(row, slot);
    case "timestamp":
    case "timestamptz":
      return row.getBigInt64(row.getInt32(slot + 4, true), true) * 1000n + BigInt(row.getInt32(slot, true) / 1000);
    case "decimal":
      if (type.precision > compactDecimalDigits) return fromTwosComplement(readLongBytes(row, slot));
      return row.getBigInt64(slot, true);
    case "int64":
      return row.getBigInt64(slot, true);
  }
}

function readBytes(row: DataView, slot: number): Uint8Array {
  const mark = row.getUint8(slot + inlineBytes);
  if ((mark & 0x80) === 0) return readLongBytes(row, slot);
  return new Uint8Array(row.buffer, row.byteOffset + slot, mark & 0x7f).slice();
}

function readLongBytes(row: DataView, slot: number): Uint8Array {
  return new Uint8Array(row.buffer, row.byteOffset + row.getInt32(slot + 4, true), row.getInt32(slot, true)).slice();
}

/** Java's `BigInteger.toByteArray`: big-endian, as few bytes as hold the sign. */
function minimalTwosComplement(value: bigint): Uint8Array {
  let length = 1;
  while (BigInt.asIntN(8 * length, value) !== value) length++;
  return Uint8Array.from({ length }, (_, index) => Number((value >> BigInt(8 * (length - 1 - index))) & 0xffn));
}

function fromTwosComplement(bytes: Uint8Array): bigint {
  const unsigned = bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  return BigInt.asIntN(8 * bytes.length, unsigned);
}

function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value < 0n && quotient * by !== value ? quotient - 1n : quotient;
}
