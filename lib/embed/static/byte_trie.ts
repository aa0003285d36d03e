/**
 * Byte strings with a number each, for the longest one that begins at a place of a text. Its edges stand in one open-addressed
 * hash table of 8 bytes an edge: a step of the search is nearly always one read of memory, and small tables stay in fast memory.
 */

const root = 0;
/** Key of a place in the table that holds no edge. */
const free = -1;

/** A set of byte strings, fixed once made. */
export class ByteTrie {
  /** Number of the string found by the latest {@linkcode longest}, if there was one. */
  value = 0;
  /** Pairs: the node an edge comes from and its byte, then the node it leads to, twice that, and one more if a string ends there. */
  #edges = emptyTable(1024);
  #mask = 1023;
  #nodes = 1;
  readonly #values: number[] = [];
  readonly #fold: Uint8Array;

  /**
   * @param strings The strings and their numbers. Empty strings are left out. Of two equal ones the later holds.
   * @param fold What each byte of a text counts as.
   */
  constructor(strings: Iterable<readonly [Uint8Array, number]>, fold: Uint8Array) {
    this.#fold = fold;
    for (const [bytes, value] of strings) this.#insert(bytes, value);
  }

  /**
   * Finds the longest string that begins at `from` and ends before or at `to`, leaving its number in {@linkcode value}.
   *
   * @returns Where it ends; `from` where none begins.
   */
  longest(bytes: Uint8Array, from: number, to: number): number {
    const edges = this.#edges;
    const fold = this.#fold;
    const mask = this.#mask;
    let node = root;
    let end = from;
    let last = root;
    for (let index = from; index < to; index++) {
      const key = node << 8 | fold[bytes[index]!]!;
      let slot = Math.imul(key, spread) >>> 12 & mask;
      let held = edges[slot << 1]!;
      while (held !== key && held !== free) {
        slot = slot + 1 & mask;
        held = edges[slot << 1]!;
      }
      if (held === free) break;
      const next = edges[slot << 1 | 1]!;
      node = next >> 1;
      if ((next & 1) === 1) {
        last = node;
        end = index + 1;
      }
    }
    if (end > from) this.value = this.#values[last]!;
    return end;
  }

  #insert(bytes: Uint8Array, value: number): void {
    let node = root;
    for (let index = 0; index < bytes.length; index++) {
      const key = node << 8 | bytes[index]!;
      const at = this.#placeOf(key);
      if (this.#edges[at] === free) {
        this.#edges[at] = key;
        this.#edges[at + 1] = this.#nodes++ << 1;
      }
      node = this.#edges[at + 1]! >> 1;
      if (index === bytes.length - 1) {
        this.#edges[at + 1]! |= 1;
        this.#values[node] = value;
      }
      // At most half full, so that a search for what is not there is short.
      if (this.#nodes * 2 > this.#mask) this.#grow();
    }
  }

  /** Where an edge stands in the table, or would. */
  #placeOf(key: number): number {
    let slot = Math.imul(key, spread) >>> 12 & this.#mask;
    while (this.#edges[slot << 1] !== key && this.#edges[slot << 1] !== free) slot = slot + 1 & this.#mask;
    return slot << 1;
  }

  #grow(): void {
    const old = this.#edges;
    this.#mask = this.#mask * 2 + 1;
    this.#edges = emptyTable(this.#mask + 1);
    for (let at = 0; at < old.length; at += 2) {
      if (old[at] === free) continue;
      const place = this.#placeOf(old[at]!);
      this.#edges[place] = old[at]!;
      this.#edges[place + 1] = old[at + 1]!;
    }
  }
}

/** Fibonacci hashing: multiplied by the golden ratio, keys that follow one another stand far apart in the upper bits. */
const spread = 0x9e3779b1;

function emptyTable(slots: number): Int32Array {
  return new Int32Array(slots * 2).fill(free);
}
