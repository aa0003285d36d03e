/**
 * UUID version 7 (RFC 9562 §5.7): 48 bits of Unix milliseconds, then a counter, then random bits.
 *
 * Promise: ids of one sequence ascend strictly, also within a millisecond and when the clock steps back (RFC 9562 §6.2,
 * method 1); same draws and same clock give the same ids.
 */
import type { Random } from "./random.ts";

/** The counter fills `rand_a` and the first 14 bits of `rand_b`. */
const counterBits = 26;

const hexByte = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Makes ascending ids. */
export class UuidV7Sequence {
  #timeMs = -1;
  #timeText = "";
  #counter = 0;

  /**
   * The next id.
   *
   * @param timeMs Unix milliseconds; earlier than the last id's means the last id's.
   * @throws {RangeError} If the time does not fit into 48 bits.
   */
  next(random: Random, timeMs: number): string {
    if (!(timeMs >= 0 && timeMs < 2 ** 48)) throw new RangeError(`Cannot put ${timeMs} ms into a UUID`);
    if (timeMs > this.#timeMs) this.#startMillisecond(random, timeMs);
    else if (++this.#counter >= 2 ** counterBits) this.#startMillisecond(random, this.#timeMs + 1);
    const high = 0x7000 | (this.#counter >>> 14);
    const low = 0x8000 | (this.#counter & 0x3fff);
    return `${this.#timeText}-${hex16(high)}-${hex16(low)}-${hex16(random.bits() >>> 16)}${hex32(random.bits())}`;
  }

  #startMillisecond(random: Random, timeMs: number): void {
    this.#timeMs = Math.floor(timeMs);
    // The top bit starts at 0, so that at least 2^25 ids fit into a millisecond before the time has to move.
    this.#counter = random.below(2 ** (counterBits - 1));
    const text = this.#timeMs.toString(16).padStart(12, "0");
    this.#timeText = `${text.slice(0, 8)}-${text.slice(8)}`;
  }
}

function hex16(value: number): string {
  return (hexByte[value >>> 8] as string) + (hexByte[value & 0xff] as string);
}

function hex32(value: number): string {
  return hex16(value >>> 16) + hex16(value & 0xffff);
}
