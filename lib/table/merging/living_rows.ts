/** The living rows of files in their order, so that a row is found again in the file that they are merged into. */
import { PositionBitmap } from "../deleted_rows/position_bitmap.ts";

/** DuckDB's own default, its unit of parallel reading. */
const mostGroupRows = 122_880;
/** What a micro-batch's files have. */
const leastGroupRows = 16_384;
/** A row group is held in memory twice while it is written, and takes there up to eight times its size in the file. */
const rowGroupBytes = 16 * 2 ** 20;

/** Rows of a row group of a merged file whose inputs hold so many rows in so many bytes. */
export function mergedRowGroupRows({ rows, bytes }: { readonly rows: number; readonly bytes: number }): number {
  const fitting = Math.floor((rows * rowGroupBytes) / Math.max(1, bytes));
  return Math.min(mostGroupRows, Math.max(leastGroupRows, fitting));
}

/** A file that may have deleted rows. */
export interface MarkedFile {
  readonly deleted?: PositionBitmap | undefined;
}

/** Files that are read together: neighbours without deletes. UNION ALL and WHERE keep the order of rows, a join does not. */
export function segmentsOf<File extends MarkedFile>(files: readonly File[]): File[][] {
  const segments: File[][] = [];
  for (const file of files) {
    const last = segments.at(-1);
    if (last !== undefined && file.deleted === undefined && last[0]!.deleted === undefined) last.push(file);
    else segments.push([file]);
  }
  return segments;
}

/** WHERE clause over a file's rows that are not deleted: one bit a row, the first one highest. Empty where all live. */
export function whereLiving({ deleted, rows }: MarkedFile & { readonly rows: bigint }): string {
  if (deleted === undefined) return "";
  const bits = new Uint8Array(Math.ceil(Number(rows) / 8));
  for (const position of deleted) bits[position >> 3]! |= 128 >> (position & 7);
  return ` WHERE get_bit(unhex('${bits.toHex()}')::BIT, file_row_number::INTEGER) = 0`;
}

/** An input of a merge: as it was merged, and as it is now. */
export interface MergedInput {
  /** Living rows when it was merged. */
  readonly living: number;
  readonly before: PositionBitmap | undefined;
  /** Undefined where it left the table: its rows are deleted, or live on elsewhere. */
  readonly now: { readonly deleted: PositionBitmap | undefined } | undefined;
}

/**
 * Places, among all inputs' living rows in their order, of the rows that were deleted since they were merged; undefined where a
 * deleted row of an input lives again.
 */
export function goneRows(inputs: readonly MergedInput[]): number[] | undefined {
  const gone: number[] = [];
  let offset = 0;
  for (const { living, before = PositionBitmap.empty, now } of inputs) {
    if (now === undefined) {
      for (let row = 0; row < living; row++) gone.push(offset + row);
    } else {
      const grown = (now.deleted ?? PositionBitmap.empty).growthSince(before);
      if (grown === undefined) return undefined;
      for (const row of rowsAmongLiving(grown.toSorted((left, right) => left - right), before)) gone.push(offset + row);
    }
    offset += living;
  }
  return gone;
}

/** Where rows, given in ascending order and none deleted, stand once those deleted before are left out. */
function* rowsAmongLiving(positions: readonly number[], deleted: PositionBitmap): Iterable<number> {
  const before = deleted[Symbol.iterator]();
  let next = before.next();
  let skipped = 0;
  for (const position of positions) {
    for (; !next.done && next.value < position; next = before.next()) skipped++;
    yield position - skipped;
  }
}
