/**
 * Thrift's compact protocol, without a schema: a structure is read as its fields by number, may be changed, and is written
 * again. What we do not know of it stays as it was (github.com/apache/thrift, doc/specs/thrift-compact-protocol.md).
 */

/** A field's type, as the protocol numbers them. */
export const thrift = {
  true: 1,
  false: 2,
  byte: 3,
  i16: 4,
  i32: 5,
  i64: 6,
  double: 7,
  binary: 8,
  list: 9,
  set: 10,
  map: 11,
  struct: 12,
} as const;

/** A value: integers are `bigint`, a byte and a double the bytes they stand in, as binaries are. */
export type ThriftValue = bigint | boolean | Uint8Array | ThriftList | ThriftMap | ThriftStruct;

/** Elements of one type. A set is one too. */
export interface ThriftList {
  readonly elementType: number;
  readonly elements: ThriftValue[];
}

/** Pairs of values. */
export interface ThriftMap {
  readonly types: readonly [key: number, value: number];
  readonly entries: readonly (readonly [ThriftValue, ThriftValue])[];
}

/** Fields by number. */
export type ThriftStruct = Map<number, { readonly type: number; readonly value: ThriftValue }>;

/** Reads a structure. Throws `RangeError` for bytes that end before it does, or hold a type that there is not. */
export function readStruct(bytes: Uint8Array): ThriftStruct {
  return new Reader(bytes).struct();
}

class Reader {
  readonly #bytes: Uint8Array;
  #place = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  struct(): ThriftStruct {
    const fields: ThriftStruct = new Map();
    for (let number = 0, header = this.#byte(); header !== 0; header = this.#byte()) {
      number = header >> 4 === 0 ? Number(this.#integer()) : number + (header >> 4);
      const type = header & 15;
      const isTruth = type === thrift.true || type === thrift.false;
      fields.set(number, { type, value: isTruth ? type === thrift.true : this.#value(type) });
    }
    return fields;
  }

  #value(type: number): ThriftValue {
    switch (type) {
      case thrift.true:
      case thrift.false:
        return this.#byte() === thrift.true;
      case thrift.byte:
        return this.#take(1);
      case thrift.i16:
      case thrift.i32:
      case thrift.i64:
        return this.#integer();
      case thrift.double:
        return this.#take(8);
      case thrift.binary:
        return this.#take(Number(this.#unsigned()));
      case thrift.list:
      case thrift.set:
        return this.#list();
      case thrift.map:
        return this.#map();
      case thrift.struct:
        return this.struct();
    }
    throw new RangeError(`Thrift has no type ${type}`);
  }

  #list(): ThriftList {
    const header = this.#byte();
    const elementType = header & 15;
    const length = header >> 4 === 15 ? Number(this.#unsigned()) : header >> 4;
    return { elementType, elements: Array.from({ length }, () => this.#value(elementType)) };
  }

  #map(): ThriftMap {
    const length = Number(this.#unsigned());
    const header = length === 0 ? 0 : this.#byte();
    const types = [header >> 4, header & 15] as const;
    return { types, entries: Array.from({ length }, () => [this.#value(types[0]), this.#value(types[1])] as const) };
  }

  #integer(): bigint {
    const value = this.#unsigned();
    return (value >> 1n) ^ -(value & 1n);
  }

  #unsigned(): bigint {
    let value = 0n;
    for (let shift = 0n;; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  }

  #byte(): number {
    return this.#take(1)[0]!;
  }

  #take(length: number): Uint8Array {
    const end = this.#place + length;
    if (end > this.#bytes.length) throw new RangeError("A Thrift structure ends too early");
    const taken = this.#bytes.subarray(this.#place, end);
    this.#place = end;
    return taken;
  }
}

/** Writes a structure; its fields in the order of their numbers. */
export function writeStruct(fields: ThriftStruct): Uint8Array {
  const bytes: number[] = [];
  putStruct(bytes, fields);
  return Uint8Array.from(bytes);
}

function putStruct(bytes: number[], fields: ThriftStruct): void {
  let before = 0;
  for (const [number, { type, value }] of [...fields].sort(([left], [right]) => left - right)) {
    const step = number - before;
    if (step < 16) bytes.push(step << 4 | type);
    else {
      bytes.push(type);
      putInteger(bytes, BigInt(number));
    }
    if (typeof value !== "boolean") putValue(bytes, type, value);
    before = number;
  }
  bytes.push(0);
}

function putValue(bytes: number[], type: number, value: ThriftValue): void {
  if (typeof value === "boolean") bytes.push(value ? thrift.true : thrift.false);
  else if (typeof value === "bigint") putInteger(bytes, value);
  else if (value instanceof Uint8Array) {
    if (type === thrift.binary) putUnsigned(bytes, BigInt(value.length));
    for (const byte of value) bytes.push(byte);
  } else if (value instanceof Map) putStruct(bytes, value);
  else if ("elements" in value) putList(bytes, value);
  else {
    putUnsigned(bytes, BigInt(value.entries.length));
    if (value.entries.length > 0) bytes.push(value.types[0] << 4 | value.types[1]);
    for (const pair of value.entries) pair.forEach((each, index) => putValue(bytes, value.types[index]!, each));
  }
}

function putList(bytes: number[], { elementType, elements }: ThriftList): void {
  if (elements.length < 15) bytes.push(elements.length << 4 | elementType);
  else {
    bytes.push(15 << 4 | elementType);
    putUnsigned(bytes, BigInt(elements.length));
  }
  for (const element of elements) putValue(bytes, elementType, element);
}

function putInteger(bytes: number[], value: bigint): void {
  putUnsigned(bytes, BigInt.asUintN(64, (value << 1n) ^ (value >> 63n)));
}

function putUnsigned(bytes: number[], value: bigint): void {
  let left = value;
  for (; left > 127n; left >>= 7n) bytes.push(Number(left & 127n) | 128);
  bytes.push(Number(left));
}
