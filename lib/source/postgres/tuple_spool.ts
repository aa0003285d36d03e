/**
 * Row messages into a spool file of layout `changes`: the columns' bytes are copied, counted and forgotten.
 *
 * Promise: every row message becomes exactly one line, whatever its bytes; a value over the limit becomes NULL and is named.
 */
import { readInt32, tupleType, valueType } from "./pgoutput.ts";
import { countQuotes } from "./spool_buffer.ts";
import type { SpoolFile } from "./spool_folder.ts";
import { tupleLine } from "./tuple_line.ts";

const operation = { insert: 0x49, update: 0x55, delete: 0x44 } as const;
const isNull = -1;
const isUnchanged = -2;
/** Above this a row's exact need of room is counted; below, four times its size is taken. */
const largeRowBytes = 256 * 1024;

/** What a {@linkcode TupleSpool} needs to know of its table. */
export interface TupleSpoolOptions {
  readonly file: SpoolFile;
  readonly columnCount: number;
  /** Places of the key columns among the columns, in key order. */
  readonly keyColumns: readonly number[];
  readonly maxValueBytes: number;
  /** A value was left out because of its size. `column` undefined: the key was, so the whole row is. */
  readonly onRefused: (refused: RefusedValue) => void;
}

/** A value over the limit. */
export interface RefusedValue {
  readonly ordinal: number;
  readonly column: number | undefined;
  readonly bytes: number;
  /** Texts of the key columns; undefined where the key itself is refused. */
  readonly key: readonly (string | null)[] | undefined;
}

/** Where the values of a tuple stand in a message: start and length, a negative length being NULL or unchanged. */
class TuplePlaces {
  readonly starts: Int32Array;
  readonly lengths: Int32Array;
  /** Values not sent. */
  unchanged = 0;

  constructor(columnCount: number) {
    this.starts = new Int32Array(columnCount);
    this.lengths = new Int32Array(columnCount);
  }

  /** Reads a tuple's frame and gives the offset after it. */
  read(message: Uint8Array, offset: number): number {
    const { starts, lengths } = this;
    const count = ((message[offset] as number) << 8) | (message[offset + 1] as number);
    if (count !== starts.length) {
      throw new RangeError(`Cannot read a tuple of ${count} values: expected ${starts.length}`);
    }
    let at = offset + 2;
    this.unchanged = 0;
    for (let column = 0; column < count; column++) {
      const type = message[at++];
      if (type === valueType.text) {
        const length = readInt32(message, at);
        starts[column] = at + 4;
        lengths[column] = length;
        at += 4 + length;
      } else if (type === valueType.null) lengths[column] = isNull;
      else {
        lengths[column] = isUnchanged;
        this.unchanged++;
      }
    }
    return at;
  }
}

/** Writes one segment. */
export class TupleSpool {
  rows = 0;
  inserts = 0;
  updates = 0;
  deletes = 0;
  keyChanges = 0;
  unchangedRows = 0;
  readonly #options: TupleSpoolOptions;
  readonly #new: TuplePlaces;
  readonly #old: TuplePlaces;

  constructor(options: TupleSpoolOptions) {
    this.#options = options;
    this.#new = new TuplePlaces(options.columnCount);
    this.#old = new TuplePlaces(options.columnCount);
  }

  /** Writes an Insert message; `offset` is that of its type byte. */
  insert(message: Uint8Array, offset: number, ordinal: number): void {
    if (this.#writeWhole(message, { offset: offset + 6, letter: operation.insert, ordinal })) {
      this.inserts++;
      return;
    }
    this.#new.read(message, offset + 6);
    if (!this.#begin(message, operation.insert, ordinal)) return;
    this.inserts++;
    this.#writeNew(message, false);
  }

  /** Writes an Update message, with the old key where the key has changed. */
  update(message: Uint8Array, offset: number, ordinal: number): void {
    let at = offset + 5;
    let keyChanged = false;
    if (message[at] !== tupleType.new) {
      const full = message[at] === tupleType.old;
      at = this.#old.read(message, at + 1);
      this.#new.read(message, at + 1);
      this.#fillFromOld(full);
      keyChanged = this.#keyDiffers(message);
    } else if (this.#writeWhole(message, { offset: at + 1, letter: operation.update, ordinal })) {
      this.updates++;
      return;
    } else this.#new.read(message, at + 1);
    if (!this.#begin(message, operation.update, ordinal)) return;
    this.updates++;
    this.#writeNew(message, keyChanged);
  }

  /** Writes a Delete message: key columns only, whatever the replica identity sends. */
  delete(message: Uint8Array, offset: number, ordinal: number): void {
    const { keyColumns, columnCount } = this.#options;
    this.#new.read(message, offset + 6);
    for (let column = 0; column < columnCount; column++) {
      if (!keyColumns.includes(column)) this.#new.lengths[column] = isNull;
    }
    if (!this.#begin(message, operation.delete, ordinal)) return;
    this.deletes++;
    const { buffer } = this.#options.file;
    for (let empty = 0; empty <= keyColumns.length; empty++) buffer.comma();
    this.#writeValues(message);
  }

  /** Writes the line of a new tuple at once, where no value needs a look and the key is the one it was. */
  #writeWhole(
    message: Uint8Array,
    tuple: { readonly offset: number; readonly letter: number; readonly ordinal: number },
  ): boolean {
    const { file, columnCount, keyColumns, maxValueBytes } = this.#options;
    if (message.length > maxValueBytes) return false;
    const line = tupleLine(message, tuple.offset, columnCount);
    if (line === undefined) return false;
    file.reserve(line.length + keyColumns.length + 64);
    const { buffer } = file;
    buffer.operation(tuple.letter, tuple.ordinal);
    for (let empty = 0; empty <= keyColumns.length; empty++) buffer.comma();
    buffer.raw(line);
    this.rows++;
    return true;
  }

  /** A value the new tuple lacks stands in the old one: always in a full old tuple, for key columns in a key tuple. */
  #fillFromOld(full: boolean): void {
    if (this.#new.unchanged === 0) return;
    for (let column = 0; column < this.#options.columnCount; column++) {
      if (this.#new.lengths[column] !== isUnchanged) continue;
      if (!full && !this.#options.keyColumns.includes(column)) continue;
      this.#new.starts[column] = this.#old.starts[column] as number;
      this.#new.lengths[column] = this.#old.lengths[column] as number;
      this.#new.unchanged--;
    }
  }

  #keyDiffers(message: Uint8Array): boolean {
    for (const column of this.#options.keyColumns) {
      const length = this.#new.lengths[column] as number;
      if (length !== this.#old.lengths[column]) return true;
      const [left, right] = [this.#new.starts[column] as number, this.#old.starts[column] as number];
      for (let index = 0; index < length; index++) {
        if (message[left + index] !== message[right + index]) return true;
      }
    }
    return false;
  }

  /** Reserves room and writes operation and ordinal; false where the row's key is over the limit. */
  #begin(message: Uint8Array, letter: number, ordinal: number): boolean {
    const { file, columnCount, keyColumns, maxValueBytes } = this.#options;
    if (message.length > maxValueBytes && this.#refusesLarge(message, ordinal)) return false;
    // A key value may be written twice, as the old one and as one that was not sent again, and each of its bytes be a quote.
    const bytes = message.length > largeRowBytes ? this.#exactBytes(message) : message.length * 4;
    file.reserve(bytes + 3 * (columnCount + keyColumns.length) + 7 * columnCount + 64);
    file.buffer.operation(letter, ordinal);
    this.rows++;
    return true;
  }

  /** Bytes of all values with their quotes doubled. A key can stand in old and new tuple both. */
  #exactBytes(message: Uint8Array): number {
    let bytes = 0;
    for (const places of [this.#new, this.#old]) {
      for (let column = 0; column < places.lengths.length; column++) {
        const length = places.lengths[column] as number;
        const start = places.starts[column] as number;
        const own = places === this.#new || this.#options.keyColumns.includes(column);
        if (own && length > 0) bytes += length + countQuotes(message.subarray(start, start + length));
      }
    }
    return bytes;
  }

  /** Makes values over the limit NULL and names them; true where one of them is in the key. */
  #refusesLarge(message: Uint8Array, ordinal: number): boolean {
    const { keyColumns, columnCount, maxValueBytes, onRefused } = this.#options;
    const refused: number[] = [];
    for (let column = 0; column < columnCount; column++) {
      const length = this.#new.lengths[column] as number;
      if (length > maxValueBytes) refused.push(column);
    }
    const whole = refused.find((column) => keyColumns.includes(column));
    if (whole !== undefined) {
      onRefused({ ordinal, column: undefined, bytes: this.#new.lengths[whole] as number, key: undefined });
      return true;
    }
    for (const column of refused) {
      onRefused({ ordinal, column, bytes: this.#new.lengths[column] as number, key: this.#keyTexts(message) });
      this.#new.lengths[column] = isNull;
    }
    return false;
  }

  #keyTexts(message: Uint8Array): readonly (string | null)[] {
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    return this.#options.keyColumns.map((column) => {
      const [start, length] = [this.#new.starts[column] as number, this.#new.lengths[column] as number];
      return length < 0 ? null : decoder.decode(message.subarray(start, start + length));
    });
  }

  #writeNew(message: Uint8Array, keyChanged: boolean): void {
    const { keyColumns, file: { buffer } } = this.#options;
    if (this.#new.unchanged > 0) this.#writeUnchanged();
    else buffer.comma();
    if (keyChanged) {
      this.keyChanges++;
      for (const column of keyColumns) {
        const length = this.#old.lengths[column] as number;
        if (length < 0) buffer.comma();
        else buffer.value(message, this.#old.starts[column] as number, length);
      }
    } else for (let count = keyColumns.length; count > 0; count--) buffer.comma();
    this.#writeValues(message);
  }

  #writeValues(message: Uint8Array): void {
    const { columnCount, file: { buffer } } = this.#options;
    const { starts, lengths } = this.#new;
    for (let column = 0; column < columnCount; column++) {
      const length = lengths[column] as number;
      if (length >= 0) buffer.value(message, starts[column] as number, length);
      else buffer.comma();
    }
    buffer.endRow();
  }

  #writeUnchanged(): void {
    this.unchangedRows++;
    const columns: number[] = [];
    for (let column = 0; column < this.#options.columnCount; column++) {
      if (this.#new.lengths[column] === isUnchanged) columns.push(column);
    }
    this.#options.file.buffer.ascii(columns.join(","));
  }
}
