/**
 * Segments of texts (`Gender: F. `) whose sums are known: a bounded table in which a segment has one place, given by its hash,
 * and its bytes are compared.
 *
 * A segment is let in when it comes a second time: what comes once, an account number say, would only push out what comes often.
 */

/** Longer segments are hardly ever seen twice. */
export const maxCachedBytes = 96;

/** A piece of a text, and a hash of its bytes. One is used for all, since there are many. */
export interface Segment {
  bytes: Uint8Array;
  from: number;
  to: number;
  hash: number;
}

/** The table. What belongs to a segment is kept by the caller, under its slot. */
export class SegmentCache {
  readonly slots: number;
  readonly #keys: Uint8Array;
  readonly #lengths: Uint8Array;
  readonly #hashes: Int32Array;
  readonly #seen: Int32Array;

  /** @param slots A power of two. */
  constructor(slots: number) {
    this.slots = slots;
    this.#keys = new Uint8Array(slots * maxCachedBytes);
    this.#lengths = new Uint8Array(slots);
    this.#hashes = new Int32Array(slots);
    this.#seen = new Int32Array(slots);
  }

  /** The slot of a segment of one byte or more. */
  slotOf({ hash }: Segment): number {
    return (hash ^ hash >>> 16) & this.slots - 1;
  }

  /** Whether a slot holds just this segment. */
  holds(slot: number, { bytes, from, to, hash }: Segment): boolean {
    if (this.#hashes[slot] !== hash || this.#lengths[slot] !== to - from) return false;
    const keys = this.#keys;
    let at = slot * maxCachedBytes;
    for (let index = from; index < to; index++, at++) {
      if (keys[at] !== bytes[index]) return false;
    }
    return true;
  }

  /** Whether a segment that the slot does not hold is to be let in; from now on it has been seen. */
  admits(slot: number, { hash }: Segment): boolean {
    const again = this.#seen[slot] === hash;
    this.#seen[slot] = hash;
    return again;
  }

  /** Lets a segment in, in place of what the slot held. Not longer than {@linkcode maxCachedBytes}. */
  admit(slot: number, { bytes, from, to, hash }: Segment): void {
    this.#hashes[slot] = hash;
    this.#lengths[slot] = to - from;
    this.#keys.set(bytes.subarray(from, to), slot * maxCachedBytes);
  }
}
