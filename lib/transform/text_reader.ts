/**
 * Texts out of DuckDB as batches of bytes. A batch is one BLOB: making a JS value per text costs 2–4 µs each, joining the texts
 * inside DuckDB 0.7 µs, and the binding would drop a leading U+FEFF from a string.
 */
import type { TextBatch } from "../embed/embedder.ts";
import type { Connection } from "../engine/connection.ts";
import { identifier } from "../engine/quote.ts";
import { WeirError } from "../errors.ts";

/** Rows per batch: DuckDB's vector size, so that a batch is read out of one of its chunks. */
export const rowsPerBatch = 2048;

/** Some consecutive rows of a table of texts. */
export interface TextRows {
  /** Rows, also those without a text. */
  readonly rows: number;
  /** Row of each text, ascending, counted from the first of these rows. */
  readonly places: Uint16Array;
  readonly texts: TextBatch;
}

/** Where to read: `text` VARCHAR of a table that no row was ever deleted from, rows `first` to `end`. */
export interface TextRange {
  readonly table: string;
  readonly first: number;
  /** The row after the last. */
  readonly end: number;
}

/** Reads the rows of a range; NULL is no text. `first` must be a multiple of {@linkcode rowsPerBatch}. */
export async function readTexts(connection: Connection, range: TextRange): Promise<readonly TextRows[]> {
  const query = `
    SELECT rowid // ${rowsPerBatch} AS batch, encode(string_agg(text, '')) AS bytes,
      list(coalesce(strlen(text), -1)::INTEGER) AS lengths, list(rowid::INTEGER) AS places
    FROM ${identifier(range.table)} WHERE rowid >= ${range.first} AND rowid < ${range.end}
    GROUP BY batch ORDER BY batch`;
  const result = await connection.exclusively((native) => native.run(query));
  const found: TextRows[] = [];
  for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
    for (let row = 0; row < chunk.rowCount; row++) {
      const blob = chunk.getColumnVector(1).getItem(row) as { readonly bytes: Uint8Array } | null;
      const lengths = integers(chunk.getColumnVector(2), row);
      checkOrder(integers(chunk.getColumnVector(3), row), range.first + found.length * rowsPerBatch);
      found.push(textRows(lengths, blob?.bytes ?? new Uint8Array()));
    }
  }
  return found;
}

function textRows(lengths: Int32Array, bytes: Uint8Array): TextRows {
  const places = new Uint16Array(lengths.length);
  const offsets = new Uint32Array(lengths.length + 1);
  let texts = 0;
  for (let row = 0; row < lengths.length; row++) {
    if (lengths[row]! < 0) continue;
    places[texts] = row;
    offsets[texts + 1] = offsets[texts]! + lengths[row]!;
    texts++;
  }
  if (offsets[texts] !== bytes.length) throw new WeirError("internal", "Texts and their lengths do not fit together");
  // Copied: the bytes lie in DuckDB's memory, and a worker takes its buffer over.
  return {
    rows: lengths.length,
    places: places.subarray(0, texts),
    texts: { bytes: new Uint8Array(bytes), offsets: offsets.slice(0, texts + 1) },
  };
}

/** DuckDB promises no order inside an aggregate; a scan of one vector gives one, and this makes sure of it. */
function checkOrder(places: Int32Array, first: number): void {
  for (let index = 0; index < places.length; index++) {
    if (places[index] !== first + index) {
      throw new WeirError("internal", "Texts were not read in the order of their rows");
    }
  }
}

function integers(vector: unknown, row: number): Int32Array {
  const lists = vector as { getItemVector(index: number): { readonly items: Int32Array } | null };
  const items = lists.getItemVector(row)?.items;
  if (!(items instanceof Int32Array)) throw new WeirError("internal", "DuckDB's list vector gives no integer array");
  return items;
}
