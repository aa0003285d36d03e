/**
 * Columns of DuckDB as Arrow's: the memory of a column is copied at once wherever both lay values out alike (Arrow columnar format,
 * "Physical Memory Layout": little-endian, validity bit by bit from the lowest).
 */
import {
  DuckDBArrayType,
  DuckDBBlobValue,
  DuckDBDecimalType,
  DuckDBListType,
  type DuckDBListVector,
  type DuckDBType,
  DuckDBTypeId,
  type DuckDBValue,
  type DuckDBVector,
} from "@duckdb/node-api";
import * as arrow from "apache-arrow";
import { WeirError } from "../errors.ts";

/** Buffers of a column beside its validity. */
interface Buffers {
  readonly data?: ArrayBufferView;
  readonly valueOffsets?: Int32Array;
  readonly child?: arrow.Data;
}

/** An Arrow type, and how a vector of DuckDB becomes its buffers. */
export interface ArrowColumn {
  readonly type: arrow.DataType;
  buffers(vector: DuckDBVector): Buffers;
}

/** What the binding's vectors hold but do not declare (1.5.5-r.5); looked for before it is used. */
interface VectorMemory {
  readonly items?: unknown;
  readonly validity?: { readonly data?: unknown };
  readonly childData?: DuckDBVector;
}

/** A vector as Arrow's data. */
export function columnData({ type, buffers }: ArrowColumn, vector: DuckDBVector): arrow.Data {
  const { bitmap, nulls } = validity(vector);
  return arrow.makeData(
    {
      type,
      length: vector.itemCount,
      nullCount: nulls,
      ...(nulls === 0 ? {} : { nullBitmap: bitmap }),
      ...buffers(vector),
    } as Parameters<typeof arrow.makeData>[0],
  );
}

interface Validity {
  readonly bitmap: Uint8Array;
  readonly nulls: number;
  has(row: number): boolean;
}

/** A vector without a bitmap has no NULL. */
function validity(vector: DuckDBVector): Validity {
  const words = (vector as unknown as VectorMemory).validity?.data;
  const count = vector.itemCount;
  if (words === null) return { bitmap: new Uint8Array(), nulls: 0, has: () => true };
  if (!(words instanceof BigUint64Array)) throw unreachable(vector);
  const bitmap = new Uint8Array(words.slice().buffer);
  const has = (row: number) => (bitmap[row >> 3]! >> (row & 7) & 1) === 1;
  let nulls = 0;
  for (let row = 0; row < count; row++) nulls += has(row) ? 0 : 1;
  return { bitmap, nulls, has };
}

type NumberArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

/** Types whose values both lay out alike. */
const alike: ReadonlyMap<DuckDBTypeId, () => arrow.DataType> = new Map<DuckDBTypeId, () => arrow.DataType>([
  [DuckDBTypeId.TINYINT, () => new arrow.Int8()],
  [DuckDBTypeId.SMALLINT, () => new arrow.Int16()],
  [DuckDBTypeId.INTEGER, () => new arrow.Int32()],
  [DuckDBTypeId.BIGINT, () => new arrow.Int64()],
  [DuckDBTypeId.UTINYINT, () => new arrow.Uint8()],
  [DuckDBTypeId.USMALLINT, () => new arrow.Uint16()],
  [DuckDBTypeId.UINTEGER, () => new arrow.Uint32()],
  [DuckDBTypeId.UBIGINT, () => new arrow.Uint64()],
  [DuckDBTypeId.FLOAT, () => new arrow.Float32()],
  [DuckDBTypeId.DOUBLE, () => new arrow.Float64()],
  [DuckDBTypeId.DATE, () => new arrow.DateDay()],
  [DuckDBTypeId.TIMESTAMP, () => new arrow.TimestampMicrosecond()],
  [DuckDBTypeId.TIMESTAMP_TZ, () => new arrow.TimestampMicrosecond("UTC")],
  [DuckDBTypeId.TIMESTAMP_S, () => new arrow.TimestampSecond()],
  [DuckDBTypeId.TIMESTAMP_MS, () => new arrow.TimestampMillisecond()],
  [DuckDBTypeId.TIMESTAMP_NS, () => new arrow.TimestampNanosecond()],
]);

/** How a column of a type becomes Arrow's; texts where Arrow has nothing like it. */
export function arrowColumn(type: DuckDBType): ArrowColumn {
  const plain = alike.get(type.typeId);
  if (plain !== undefined) return { type: plain(), buffers: (vector) => ({ data: memoryOf(vector).slice() }) };
  if (type instanceof DuckDBDecimalType) {
    return { type: new arrow.Decimal(type.scale, type.width, 128), buffers: (vector) => ({ data: decimals(vector) }) };
  }
  if (type instanceof DuckDBListType) return listColumn(arrowColumn(type.valueType));
  if (type instanceof DuckDBArrayType) return arrayColumn(type);
  if (type.typeId === DuckDBTypeId.BOOLEAN) {
    return { type: new arrow.Bool(), buffers: (vector) => ({ data: bits(vector) }) };
  }
  if (type.typeId === DuckDBTypeId.BLOB) {
    return {
      type: new arrow.Binary(),
      buffers: (vector) => bytes(vector, blobs),
    };
  }
  return { type: new arrow.Utf8(), buffers: (vector) => bytes(vector, texts) };
}

function memoryOf(vector: DuckDBVector): NumberArray {
  const { items } = vector as unknown as VectorMemory;
  if (ArrayBuffer.isView(items) && !(items instanceof DataView)) return items as NumberArray;
  throw unreachable(vector);
}

function unreachable({ type }: DuckDBVector): WeirError {
  return new WeirError("internal", `DuckDB's vector of ${type} does not give its memory`);
}

/** Scaled values of whatever width, each in 16 bytes. */
function decimals(vector: DuckDBVector): Uint32Array {
  const scaled = vector as unknown as { getScaledValue(row: number): number | bigint | null };
  const data = new BigInt64Array(vector.itemCount * 2);
  for (let row = 0; row < vector.itemCount; row++) {
    const value = BigInt(scaled.getScaledValue(row) ?? 0);
    data[row * 2] = BigInt.asIntN(64, value);
    data[row * 2 + 1] = value >> 64n;
  }
  return new Uint32Array(data.buffer);
}

function bits(vector: DuckDBVector): Uint8Array {
  const data = new Uint8Array((vector.itemCount + 7) >> 3);
  for (let row = 0; row < vector.itemCount; row++) if (vector.getItem(row) === true) data[row >> 3]! |= 1 << (row & 7);
  return data;
}

/** Values one after the other, and where each begins. `put` writes a value where there is room for it, and gives its bytes. */
function bytes(vector: DuckDBVector, { room, put }: ByteWriter): Buffers {
  const valueOffsets = new Int32Array(vector.itemCount + 1);
  let data = new Uint8Array(vector.itemCount * 16);
  let end = 0;
  for (let row = 0; row < vector.itemCount; row++) {
    const item = vector.getItem(row) as DuckDBValue;
    if (item !== null) {
      const least = end + room(item);
      if (least > data.length) data = grown(data, least);
      end += put(item, data.subarray(end));
    }
    valueOffsets[row + 1] = end;
  }
  return { data: data.subarray(0, end), valueOffsets };
}

interface ByteWriter {
  /** Bytes that a value takes at most. */
  room(item: DuckDBValue): number;
  put(item: DuckDBValue, into: Uint8Array): number;
}

const encoder = new TextEncoder();

/** A code unit of UTF-16 takes three bytes of UTF-8 at most. */
const texts: ByteWriter = {
  room: (item) => String(item).length * 3,
  put: (item, into) => encoder.encodeInto(String(item), into).written,
};

const blobs: ByteWriter = {
  room: (item) => blobBytes(item).length,
  put: (item, into) => (into.set(blobBytes(item)), blobBytes(item).length),
};

function grown(data: Uint8Array, least: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.max(least, data.length * 2));
  larger.set(data);
  return larger;
}

function blobBytes(item: DuckDBValue): Uint8Array {
  return item instanceof DuckDBBlobValue ? item.bytes : new Uint8Array();
}

function listColumn(element: ArrowColumn): ArrowColumn {
  const type = new arrow.List(new arrow.Field("item", element.type, true));
  return { type, buffers: (vector) => listBuffers(vector as DuckDBListVector, element) };
}

function listBuffers(vector: DuckDBListVector, element: ArrowColumn): Buffers {
  const valueOffsets = new Int32Array(vector.itemCount + 1);
  const isThere = validity(vector);
  for (let row = 0; row < vector.itemCount; row++) {
    const from = valueOffsets[row]!;
    const length = isThere.has(row) ? vector.getEntryLength(row) : 0;
    if (length > 0 && vector.getEntryOffset(row) !== from) {
      throw new WeirError("internal", "DuckDB's lists do not stand one after the other, as Arrow's have to");
    }
    valueOffsets[row + 1] = from + length;
  }
  return { valueOffsets, child: columnData(element, vector.childVector) };
}

function arrayColumn({ valueType, length }: DuckDBArrayType): ArrowColumn {
  const element = arrowColumn(valueType);
  const type = new arrow.FixedSizeList(length, new arrow.Field("item", element.type, true));
  return { type, buffers: (vector) => ({ child: columnData(element, childOf(vector)) }) };
}

function childOf(vector: DuckDBVector): DuckDBVector {
  const { childData } = vector as unknown as VectorMemory;
  if (childData !== undefined) return childData;
  throw unreachable(vector);
}
