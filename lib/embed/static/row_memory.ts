/** Rows of floats in WebAssembly memory, and their arithmetic in SIMD (`sum_rows.wat`). */
interface Arithmetic {
  readonly memory: WebAssembly.Memory;
  sumRows(rows: number, end: number, sum: number, rowBytes: number): void;
  sumByteRows(rows: number, end: number, sum: number, rowBytes: number): void;
  normaliseRow(row: number, rowBytes: number): number;
}

const pageBytes = 65_536;
/** `sum_rows.wat` adds up so many bytes of a row at once. */
const stretchBytes = 128;

/** Where the code is; assembled from the text beside it. */
const arithmeticFile = new URL("./sum_rows.wasm", import.meta.url);

/** What {@linkcode RowMemory} holds. */
export interface RowCounts {
  /** Rows of floats. */
  readonly floats: number;
  /** Rows of bytes. Default none. */
  readonly bytes?: number;
}

/** A fixed number of rows, all zero at first, each found by its address. */
export class RowMemory {
  /** Bytes from one row to the next: the floats of one, rounded up to what is added up at once, the rest zero. */
  readonly rowBytes: number;
  /** The same for rows of bytes. */
  readonly byteRowBytes: number;
  readonly #arithmetic: Arithmetic;
  readonly #dimensions: number;
  #takenBytes = 0;

  /**
   * @param dimensions Numbers per row.
   * @param rows How many rows there will be.
   */
  constructor(dimensions: number, { floats, bytes = 0 }: RowCounts) {
    const module = new WebAssembly.Module(Deno.readFileSync(arithmeticFile));
    this.#arithmetic = new WebAssembly.Instance(module).exports as unknown as Arithmetic;
    this.#dimensions = dimensions;
    this.rowBytes = roundedUp(dimensions * Float32Array.BYTES_PER_ELEMENT);
    this.byteRowBytes = this.rowBytes / Float32Array.BYTES_PER_ELEMENT;
    const size = floats * this.rowBytes + roundedUp(bytes * this.byteRowBytes);
    this.#arithmetic.memory.grow(Math.ceil(size / pageBytes));
  }

  /** Sets rows aside that follow one another; answers the address of the first. */
  takeRows(rows: number): number {
    return this.#take(rows * this.rowBytes);
  }

  /** The same for rows of bytes. */
  takeByteRows(rows: number): number {
    return this.#take(roundedUp(rows * this.byteRowBytes));
  }

  /** Sets a list of addresses of rows aside, in the memory there is beside rows. */
  takeList(addresses: number): Uint32Array {
    const at = this.#take(roundedUp(addresses * Uint32Array.BYTES_PER_ELEMENT));
    return new Uint32Array(this.#arithmetic.memory.buffer, at, addresses);
  }

  /** The floats of a row. */
  row(address: number): Float32Array {
    return new Float32Array(this.#arithmetic.memory.buffer, address, this.#dimensions);
  }

  /** The bytes of a row of bytes. */
  byteRow(address: number): Int8Array {
    return new Int8Array(this.#arithmetic.memory.buffer, address, this.#dimensions);
  }

  /** Adds up the rows of the first `count` addresses of a list, one or more, in their order; `sum` may be one of them. */
  sum(list: Uint32Array, count: number, sum: number): void {
    const end = list.byteOffset + count * Uint32Array.BYTES_PER_ELEMENT;
    this.#arithmetic.sumRows(list.byteOffset, end, sum, this.rowBytes);
  }

  /** The same for rows of bytes, at most 255. The sum is one of floats, and exact. */
  sumBytes(list: Uint32Array, count: number, sum: number): void {
    const end = list.byteOffset + count * Uint32Array.BYTES_PER_ELEMENT;
    this.#arithmetic.sumByteRows(list.byteOffset, end, sum, this.rowBytes);
  }

  /** Brings a row to length 1. False if it has none that is a finite number; it is of no use then. */
  normalise(row: number): boolean {
    const squares = this.#arithmetic.normaliseRow(row, this.rowBytes);
    return squares > 0 && squares < Infinity;
  }

  #take(bytes: number): number {
    const at = this.#takenBytes;
    this.#takenBytes += bytes;
    const { memory } = this.#arithmetic;
    if (this.#takenBytes > memory.buffer.byteLength) throw new TypeError("Cannot set aside more rows than there are");
    return at;
  }
}

function roundedUp(bytes: number): number {
  return Math.ceil(bytes / stretchBytes) * stretchBytes;
}
