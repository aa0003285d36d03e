/**
 * CopyData messages found in the bytes of a connection, where they were read to (PostgreSQL documentation, "Message Formats").
 *
 * Promise: every CopyData message is handed over once and whole, every other byte once, in the order of the wire; memory is one
 * buffer, larger than its usual size only while a larger message comes.
 */
import { readInt32 } from "./pgoutput.ts";

/** Who gets what. */
export interface CopyDataFramesOptions {
  /** The content of a message; its bytes are valid during the call only. */
  readonly onCopyData: (content: Uint8Array) => void;
  /** Bytes of other messages, in pieces that need not end where a message does; valid during the call only. */
  readonly onOther: (bytes: Uint8Array) => void;
}

/** First byte of a CopyData message. */
const copyData = 0x64;
/** A type and a length, which counts itself. */
const headerBytes = 5;
const usualBytes = 128 * 1024;
/** Room for the next read is at least so many bytes. */
const roomBytes = 64 * 1024;

/** The bytes of one connection. */
export class CopyDataFrames {
  readonly #options: CopyDataFramesOptions;
  #bytes = new Uint8Array(usualBytes);
  /** Bytes at the start that wait for more: of a CopyData message, or of a header. */
  #kept = 0;
  /** Bytes to come of another message that has begun. */
  #passing = 0;

  constructor(options: CopyDataFramesOptions) {
    this.#options = options;
  }

  /** Where the next bytes are to be put. */
  get room(): Uint8Array {
    return this.#bytes.subarray(this.#kept);
  }

  /** Takes so many bytes, which were put there. */
  take(count: number): void {
    const bytes = this.#bytes;
    const end = this.#kept + count;
    let at = Math.min(this.#passing, end);
    this.#passing -= at;
    let handedOver = 0;
    while (end - at >= headerBytes) {
      const next = at + 1 + (readInt32(bytes, at + 1) >>> 0);
      if (bytes[at] !== copyData) {
        at = Math.min(next, end);
        this.#passing = next - at;
        continue;
      }
      if (next > end) break;
      this.#handOver(handedOver, at);
      this.#options.onCopyData(bytes.subarray(at + headerBytes, next));
      handedOver = at = next;
    }
    this.#handOver(handedOver, at);
    this.#keep(at, end);
  }

  #handOver(from: number, to: number): void {
    if (to > from) this.#options.onOther(this.#bytes.subarray(from, to));
  }

  #keep(from: number, to: number): void {
    const kept = to - from;
    let capacity = usualBytes;
    while (capacity - kept < roomBytes) capacity *= 2;
    if (capacity === this.#bytes.length) this.#bytes.copyWithin(0, from, to);
    else {
      const bytes = new Uint8Array(capacity);
      bytes.set(this.#bytes.subarray(from, to));
      this.#bytes = bytes;
    }
    this.#kept = kept;
  }
}
