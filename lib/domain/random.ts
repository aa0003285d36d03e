/**
 * Seeded pseudo-random numbers for generators.
 *
 * Promise: the draws after {@linkcode Random.seek} depend on seed, stream and ordinal alone, so that row 17 is the same
 * whether it is made first, last or in another batch. Not for secrets.
 */

/** A stream of numbers: xoshiro128** 1.1 (Blackman and Vigna), 128 bits of state, filled by SplitMix32. */
export class Random {
  readonly #seed: number;
  readonly #stream: number;
  #a = 0;
  #b = 0;
  #c = 0;
  #d = 0;

  /**
   * @param seed Any safe integer.
   * @param stream Name of what is drawn; streams of one seed are independent.
   * @throws {RangeError} If the seed is not a safe integer.
   */
  constructor(seed: number, stream: string) {
    if (!Number.isSafeInteger(seed)) throw new RangeError(`Cannot seed with ${seed}: expected a safe integer`);
    this.#seed = mix(high32(seed) ^ mix(seed | 0));
    let hash = 0x811c9dc5;
    for (let i = 0; i < stream.length; i++) hash = Math.imul(hash ^ stream.charCodeAt(i), 0x01000193);
    this.#stream = mix(hash);
    this.seek(0);
  }

  /** Moves to the start of an ordinal's draws. */
  seek(ordinal: number): this {
    let state = mix(this.#seed ^ mix(this.#stream ^ mix(high32(ordinal) ^ mix(ordinal | 0))));
    const next = () => mix(state = (state + 0x9e3779b9) | 0);
    this.#a = next();
    this.#b = next();
    this.#c = next();
    // All-zero state would stay zero for ever; one odd word rules it out.
    this.#d = next() | 1;
    return this;
  }

  /** 32 random bits, unsigned. */
  bits(): number {
    const times5 = Math.imul(this.#b, 5);
    const result = Math.imul((times5 << 7) | (times5 >>> 25), 9) >>> 0;
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result;
  }

  /** A number from 0 up to, without, 1, with 32 random bits. */
  fraction(): number {
    return this.bits() * 2 ** -32;
  }

  /** An integer from 0 up to, without, `bound` (at most 2^32). Its bias is below `bound` / 2^32. */
  below(bound: number): number {
    return Math.floor(this.fraction() * bound);
  }

  /** An integer from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** Whether something of this probability happens. */
  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  /**
   * An element of a list.
   *
   * @throws {RangeError} If the list is empty.
   */
  element<T>(list: readonly T[]): T {
    if (list.length === 0) throw new RangeError("Cannot draw from an empty list");
    return list[this.below(list.length)] as T;
  }

  /** `count` decimal digits, leading zeros included. */
  digits(count: number): string {
    let text = "";
    for (let left = count; left > 0; left -= 9) {
      const width = Math.min(left, 9);
      text += String(this.below(10 ** width)).padStart(width, "0");
    }
    return text;
  }

  /** Fills a pattern: `#` becomes a digit, `?` a capital letter, all else stays. */
  pattern(pattern: string): string {
    let text = "";
    for (const character of pattern) {
      if (character === "#") text += this.below(10);
      else if (character === "?") text += String.fromCharCode(65 + this.below(26));
      else text += character;
    }
    return text;
  }
}

function high32(value: number): number {
  return Math.floor(value / 2 ** 32) | 0;
}

/** Finaliser of SplitMix32: every input bit moves every output bit. */
function mix(value: number): number {
  let z = value | 0;
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return z ^ (z >>> 15);
}
