/**
 * The portable serialization of roaring bitmaps, 64-bit as deletion vectors use it (Roaring format specification,
 * "RoaringFormatSpec"; Iceberg spec, Puffin, `deletion-vector-v1`). Written with arrays and bitsets; read with runs too.
 */
import { type Container, containerCount, PositionBitmap, smallest } from "./position_bitmap.ts";

const cookieWithoutRuns = 12346;
const cookieWithRuns = 12347;
/** With runs, offsets are only written from this many containers on. */
const offsetsFrom = 4;
const bitsetBytes = 8192;
const arrayLimit = 4096;

/** Encodes: count of 32-bit bitmaps, then each with the high half of its positions as key. */
export function encodeRoaring(bitmap: PositionBitmap): Uint8Array {
  const groups = Map.groupBy(
    [...bitmap.containers.keys()].sort((left, right) => left - right),
    (key) => Math.floor(key / 65536),
  );
  const parts: Uint8Array[] = [numbers([[8, groups.size]])];
  for (const [high, keys] of groups) {
    parts.push(numbers([[4, high]]), ...encode32(keys.map((key) => [key % 65536, bitmap.containers.get(key)!])));
  }
  return concatenate(parts);
}

/** Encodes positions below 2^32 as one 32-bit bitmap. Throws `RangeError` for a greater one. */
export function encodeRoaring32(bitmap: PositionBitmap): Uint8Array {
  const keys = [...bitmap.containers.keys()].sort((left, right) => left - right);
  if ((keys.at(-1) ?? 0) >= 65536) throw new RangeError("Cannot write a position beyond 32 bits");
  return concatenate(encode32(keys.map((key) => [key, bitmap.containers.get(key)!])));
}

/** Decodes one 32-bit bitmap. Throws `RangeError` if the bytes are none. */
export function decodeRoaring32(bytes: Uint8Array): PositionBitmap {
  const containers = new Map<number, Container>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  decode32(view, { at: 0, add: (key, container) => containers.set(key, container) });
  return new PositionBitmap(containers);
}

function encode32(containers: readonly (readonly [number, Container])[]): Uint8Array[] {
  // Every machine Deno runs on is little-endian, as the format is.
  const bodies = containers.map(([, container]) =>
    "bits" in container ? container.bits : new Uint8Array(container.values.slice().buffer)
  );
  let offset = 8 + containers.length * 8;
  const fields: [number, number][] = [[4, cookieWithoutRuns], [4, containers.length]];
  for (const [key, container] of containers) fields.push([2, key], [2, containerCount(container) - 1]);
  for (const body of bodies) {
    fields.push([4, offset]);
    offset += body.length;
  }
  return [numbers(fields), ...bodies];
}

/** Little-endian unsigned fields of 2, 4 or 8 bytes. */
function numbers(fields: readonly (readonly [number, number])[]): Uint8Array {
  const bytes = new Uint8Array(fields.reduce((sum, [width]) => sum + width, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [width, value] of fields) {
    if (width === 2) view.setUint16(at, value, true);
    else if (width === 4) view.setUint32(at, value, true);
    else view.setBigUint64(at, BigInt(value), true);
    at += width;
  }
  return bytes;
}

/** Joins byte arrays. */
export function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/**
 * Decodes what any implementation wrote.
 *
 * @throws {RangeError} If the bytes are not such a bitmap.
 */
export function decodeRoaring(bytes: Uint8Array): PositionBitmap {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const containers = new Map<number, Container>();
  let at = 8;
  for (let left = view.getBigUint64(0, true); left > 0n; left--) {
    const high = view.getUint32(at, true);
    at = decode32(view, { at: at + 4, add: (key, container) => containers.set(high * 65536 + key, container) });
  }
  return new PositionBitmap(containers);
}

interface Reading {
  readonly at: number;
  readonly add: (key: number, container: Container) => void;
}

/** Reads one 32-bit bitmap and gives the offset behind it. */
function decode32(view: DataView, { at, add }: Reading): number {
  const cookie = view.getUint32(at, true);
  const withRuns = (cookie & 0xFFFF) === cookieWithRuns;
  if (!withRuns && cookie !== cookieWithoutRuns) throw new RangeError("Cannot read a bitmap: unknown cookie");
  const count = withRuns ? (cookie >>> 16) + 1 : view.getUint32(at + 4, true);
  const flags = at + 4;
  const descriptors = withRuns ? flags + Math.ceil(count / 8) : at + 8;
  let body = descriptors + 4 * count + (!withRuns || count >= offsetsFrom ? 4 * count : 0);
  for (let index = 0; index < count; index++) {
    const key = view.getUint16(descriptors + 4 * index, true);
    const cardinality = view.getUint16(descriptors + 4 * index + 2, true) + 1;
    const isRun = withRuns && (view.getUint8(flags + (index >> 3)) & (1 << (index & 7))) !== 0;
    const read = isRun ? readRuns(view, body) : readPlain(view, { at: body, cardinality });
    add(key, read.container);
    body = read.next;
  }
  return body;
}

function readPlain(view: DataView, from: { at: number; cardinality: number }): { container: Container; next: number } {
  const { at, cardinality } = from;
  if (cardinality > arrayLimit) {
    const bits = new Uint8Array(view.buffer, view.byteOffset + at, bitsetBytes).slice();
    return { container: { bits, count: cardinality }, next: at + bitsetBytes };
  }
  const values = Uint16Array.from({ length: cardinality }, (_, index) => view.getUint16(at + 2 * index, true));
  return { container: { values }, next: at + 2 * cardinality };
}

function readRuns(view: DataView, at: number): { container: Container; next: number } {
  const runs = view.getUint16(at, true);
  const bits = new Uint8Array(bitsetBytes);
  for (let run = 0; run < runs; run++) {
    const start = view.getUint16(at + 2 + 4 * run, true);
    const end = start + view.getUint16(at + 4 + 4 * run, true);
    for (let low = start; low <= end; low++) bits[low >> 3]! |= 1 << (low & 7);
  }
  return { container: smallest(bits), next: at + 2 + 4 * runs };
}
