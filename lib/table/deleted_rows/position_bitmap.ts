/**
 * The set of deleted row positions of one data file, as a roaring bitmap (Roaring format specification, 64-bit extension).
 *
 * Promise: a bitmap never changes; adding gives another one that shares the containers it did not touch, so that many
 * states of a table cost little more than one.
 */

const arrayLimit = 4096;
const bitsetBytes = 8192;

/** A container of 2^16 positions: sorted low halves, or a bitset once there are more than 4096. */
export type Container = { readonly values: Uint16Array } | { readonly bits: Uint8Array; readonly count: number };

/** Number of positions in a container. */
export function containerCount(container: Container): number {
  return "values" in container ? container.values.length : container.count;
}

/** An immutable set of row positions, each below 2^53. */
export class PositionBitmap {
  /** By position divided by 2^16. */
  readonly containers: ReadonlyMap<number, Container>;
  readonly count: number;

  /** Takes containers as they are; see {@linkcode PositionBitmap.with} for adding positions. */
  constructor(containers: ReadonlyMap<number, Container>) {
    this.containers = containers;
    this.count = [...containers.values()].reduce((sum, container) => sum + containerCount(container), 0);
  }

  static readonly empty = new PositionBitmap(new Map());

  has(position: number): boolean {
    const container = this.containers.get(Math.floor(position / 65536));
    if (container === undefined) return false;
    const low = position % 65536;
    return "bits" in container
      ? (container.bits[low >> 3]! & (1 << (low & 7))) !== 0
      : binaryHas(container.values, low);
  }

  /** A bitmap of these positions too. */
  with(positions: Iterable<number>): PositionBitmap {
    const touched = new Map<number, Uint8Array>();
    for (const position of positions) {
      const key = Math.floor(position / 65536);
      let bits = touched.get(key);
      if (bits === undefined) touched.set(key, bits = bitsOf(this.containers.get(key)));
      bits[(position % 65536) >> 3]! |= 1 << (position & 7);
    }
    const containers = new Map(this.containers);
    for (const [key, bits] of touched) containers.set(key, smallest(bits));
    return new PositionBitmap(containers);
  }

  /** Positions that an earlier bitmap lacks; undefined where the earlier one holds any that this one lacks. */
  growthSince(earlier: PositionBitmap): number[] | undefined {
    if ([...earlier.containers.keys()].some((key) => !this.containers.has(key))) return undefined;
    const grown: number[] = [];
    for (const [key, container] of this.containers) {
      const before = earlier.containers.get(key);
      if (before === container) continue;
      const [bits, old] = [bitsOf(container), bitsOf(before)];
      for (let index = 0; index < bitsetBytes; index++) {
        if ((old[index]! & ~bits[index]!) !== 0) return undefined;
        bits[index]! &= ~old[index]!;
      }
      for (const low of lowHalves(smallest(bits))) grown.push(key * 65536 + low);
    }
    return grown;
  }

  /** Ascending within a container; containers ascend too. */
  *[Symbol.iterator](): Iterator<number> {
    for (const key of [...this.containers.keys()].sort((left, right) => left - right)) {
      for (const low of lowHalves(this.containers.get(key)!)) yield key * 65536 + low;
    }
  }
}

function binaryHas(values: Uint16Array, wanted: number): boolean {
  let [low, high] = [0, values.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (values[middle] === wanted) return true;
    if (values[middle]! < wanted) low = middle + 1;
    else high = middle - 1;
  }
  return false;
}

/** The low halves of a container, ascending. */
export function lowHalves(container: Container): Uint16Array {
  if ("values" in container) return container.values;
  const values = new Uint16Array(container.count);
  let next = 0;
  for (let index = 0; index < bitsetBytes; index++) {
    for (let byte = container.bits[index]!; byte !== 0; byte &= byte - 1) {
      values[next++] = index * 8 + 31 - Math.clz32(byte & -byte);
    }
  }
  return values;
}

function bitsOf(container: Container | undefined): Uint8Array {
  if (container !== undefined && "bits" in container) return container.bits.slice();
  const bits = new Uint8Array(bitsetBytes);
  for (const low of container?.values ?? []) bits[low >> 3]! |= 1 << (low & 7);
  return bits;
}

/** A container of the form the roaring format demands for this many values. */
export function smallest(bits: Uint8Array): Container {
  let count = 0;
  for (const byte of bits) count += bitsSet[byte]!;
  const container = { bits, count };
  return count > arrayLimit ? container : { values: lowHalves(container) };
}

const bitsSet = Uint8Array.from({ length: 256 }, (_, byte) => byte.toString(2).replaceAll("0", "").length);
