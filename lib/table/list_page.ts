/**
 * Pages of a Parquet column of lists of 32-bit floats, for vectors: numbers as good as random, which neither a dictionary nor
 * compression makes much smaller. The numbers go to the file out of the memory they lie in.
 *
 * Format: github.com/apache/parquet-format, README ("Nested Encoding", data page version 1) and Encodings.md (PLAIN,
 * RLE). The list is optional and so are its elements, as DuckDB writes every list: levels of definition 0 (no list), 1 (an empty
 * one), 3 (a number); levels of repetition 0 (a new row), 1.
 */
import { Buffer } from "node:buffer";
import { thrift, type ThriftStruct, writeStruct } from "./compact_protocol.ts";

/** Some consecutive lists; none holds a missing number. The numbers must not change before the page is written. */
export interface Lists {
  /** Of each list; -1 where there is none. */
  readonly lengths: Int32Array;
  /** Where each list begins in `numbers`. */
  readonly starts: (list: number) => number;
  readonly numbers: Float32Array;
}

/** A page with its header. */
export interface ListPage {
  /** What it is written as, one after another. */
  readonly parts: readonly Uint8Array[];
  /** Of all parts. */
  readonly bytes: number;
  /** Numbers, and lists without any: what Parquet calls the values of a nested column. */
  readonly values: number;
  /** Values that are no numbers. */
  readonly nulls: number;
}

const definedLevel = 3;
/** Each part is written by itself: many small ones are copied together first. */
const mostParts = 8;

/** Encodes lists as one page. */
export function listPage({ lengths, starts, numbers }: Lists): ListPage {
  const repetition = new Runs();
  const definition = new Runs();
  let [total, nulls] = [0, 0];
  for (const length of lengths) {
    repetition.add(0, 1);
    if (length > 0) {
      repetition.add(1, length - 1);
      definition.add(definedLevel, length);
      total += length;
    } else {
      definition.add(length < 0 ? 0 : 1, 1);
      nulls++;
    }
  }
  const values = total + nulls;
  const levels = [repetition.bytes(), definition.bytes()] as const;
  const header = pageHeader(values, levels[0].length + levels[1].length + 4 * total);
  const head = Buffer.concat([header, ...levels]);
  const parts = numberParts({ lengths, starts, numbers });
  return {
    parts: [head, ...parts.length > mostParts ? [Buffer.concat(parts)] : parts],
    bytes: head.length + 4 * total,
    values,
    nulls,
  };
}

/** Lists that lie one after another are one part. */
function numberParts({ lengths, starts, numbers }: Lists): readonly Uint8Array[] {
  const memory = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
  const parts: Uint8Array[] = [];
  let [from, to] = [0, 0];
  const end = () => {
    if (to > from) parts.push(memory.subarray(4 * from, 4 * to));
  };
  for (let list = 0; list < lengths.length; list++) {
    const length = lengths[list]!;
    if (length <= 0) continue;
    const start = starts(list);
    if (start !== to) {
      end();
      from = start;
    }
    to = start + length;
  }
  end();
  return parts;
}

/** `PageHeader` of parquet.thrift: a data page of version 1, PLAIN numbers, levels as RLE, not compressed. */
function pageHeader(values: number, bytes: number): Uint8Array {
  const i32 = (value: number) => ({ type: thrift.i32, value: BigInt(value) });
  const [dataPage, plain, rle] = [0, 0, 3];
  const data: ThriftStruct = new Map([[1, i32(values)], [2, i32(plain)], [3, i32(rle)], [4, i32(rle)]]);
  const header: ThriftStruct = new Map([[1, i32(dataPage)], [2, i32(bytes)], [3, i32(bytes)]]);
  return writeStruct(header.set(5, { type: thrift.struct, value: data }));
}

/** Levels as runs of equal ones, after their length in bytes. */
class Runs {
  #bytes = new Uint8Array(1024);
  #length = 4;
  #level = 0;
  #count = 0;

  add(level: number, count: number): void {
    if (count === 0) return;
    if (level !== this.#level) this.#end();
    this.#level = level;
    this.#count += count;
  }

  bytes(): Uint8Array {
    this.#end();
    new DataView(this.#bytes.buffer).setUint32(0, this.#length - 4, true);
    return this.#bytes.subarray(0, this.#length);
  }

  #end(): void {
    if (this.#count === 0) return;
    if (this.#length + 8 > this.#bytes.length) {
      const grown = new Uint8Array(2 * this.#bytes.length);
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    let header = this.#count * 2;
    for (; header > 127; header = Math.floor(header / 128)) this.#bytes[this.#length++] = header % 128 + 128;
    this.#bytes[this.#length++] = header;
    this.#bytes[this.#length++] = this.#level;
    this.#count = 0;
  }
}
