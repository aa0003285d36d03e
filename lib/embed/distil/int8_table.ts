/** A table of vectors in one byte a number, and the safetensors file of it. */

/** Numbers of a table: each stands for itself times one scale, which does not matter where only directions count. */
export interface Int8Table {
  readonly dimensions: number;
  readonly values: Int8Array<ArrayBuffer>;
}

const largest = 127;

/** Of so many rows one may be cut: a scale for the few largest would leave all others with fewer digits. */
const rowsPerCut = 2048;

/**
 * Rounds a table so that its largest number becomes 127; numbers of the few largest rows may be cut to that. One scale for all rows:
 * sums of rows are then sums of whole numbers.
 */
export function toInt8(values: Float64Array, dimensions: number): Int8Table {
  const peaks = new Float64Array(values.length / dimensions);
  values.forEach((value, place) => {
    const row = Math.floor(place / dimensions);
    peaks[row] = Math.max(peaks[row]!, Math.abs(value));
  });
  const most = peaks.sort().at(-1 - Math.floor(peaks.length / rowsPerCut)) ?? 0;
  if (!(most > 0 && most < Infinity)) throw new RangeError("Cannot round a table without a finite number in it");
  const rounded = (value: number) => Math.max(-largest, Math.min(largest, Math.round(value / most * largest)));
  return { dimensions, values: Int8Array.from(values, rounded) };
}

/** The table as the tensor `embeddings` of a safetensors file: the header's length, the header, the numbers. */
export function safetensorsOf({ dimensions, values }: Int8Table): Uint8Array<ArrayBuffer> {
  const shape = [values.length / dimensions, dimensions];
  const header = JSON.stringify({ embeddings: { dtype: "I8", shape, data_offsets: [0, values.length] } });
  const padded = new TextEncoder().encode(header.padEnd(Math.ceil(header.length / 8) * 8));
  const file = new Uint8Array(8 + padded.length + values.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(padded.length), true);
  file.set(padded, 8);
  file.set(new Uint8Array(values.buffer, values.byteOffset, values.length), 8 + padded.length);
  return file;
}
