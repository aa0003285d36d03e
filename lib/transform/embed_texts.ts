/** The loop of the embedding step: texts out, vectors in, a bounded number of batches under way. */
import type { Embedder, VectorBatch } from "../embed/embedder.ts";
import type { VectorPages } from "../change/relation.ts";
import type { Connection } from "../engine/connection.ts";
import { identifier } from "../engine/quote.ts";
import { WeirError } from "../errors.ts";
import type { Lists } from "../table/list_page.ts";
import { VectorFile } from "../table/vector_file.ts";
import { readTexts, rowsPerBatch, type TextRows } from "./text_reader.ts";

/** Batches read in one statement: enough that its cost does not count, few enough that their texts fit into memory twice. */
const batchesPerRead = 8;

/** What {@linkcode embedTexts} needs. */
export interface EmbedTextsOptions {
  readonly connection: Connection;
  readonly embedder: Embedder;
  /** Table with a column `text`. */
  readonly texts: string;
  /** Where the vectors go: one for each row of `texts`, NULL where there is no text or no vector for it. */
  readonly path: string;
  readonly signal: AbortSignal;
}

/** How it ended. */
export interface EmbeddedTexts {
  readonly pages: Omit<VectorPages, "of">;
  readonly embedded: number;
  /** `place` is the row of the table. */
  readonly failures: readonly { readonly place: number; readonly reason: string }[];
}

interface UnderWay {
  readonly source: TextRows;
  readonly batch: Promise<VectorBatch>;
}

/** Embeds a table of texts. */
export async function embedTexts(options: EmbedTextsOptions): Promise<EmbeddedTexts> {
  const { connection, path, texts } = options;
  const { dimensions } = options.embedder.model;
  const rows = Number(await connection.value(`SELECT count(*) FROM ${identifier(texts)}`));
  using file = await VectorFile.create(connection, { path, rows });
  const progress: Progress = { file, dimensions, rows: 0, embedded: 0, failures: [] };
  await embedRanges({ ...options, rows }, progress);
  if (progress.rows !== rows) throw new WeirError("internal", "Fewer texts were read than there are rows");
  const { embedded, failures } = progress;
  return { pages: await file.finish(), embedded, failures };
}

/** While the workers embed one range the next is read. */
async function embedRanges(options: EmbedTextsOptions & { readonly rows: number }, progress: Progress): Promise<void> {
  const { connection, texts, rows, signal } = options;
  let ahead: readonly UnderWay[] = [];
  const step = rowsPerBatch * batchesPerRead;
  for (let first = 0; first < rows; first += step) {
    signal.throwIfAborted();
    const read = await readTexts(connection, { table: texts, first, end: Math.min(first + step, rows) });
    const started = read.map((source) => start(options.embedder, source));
    await append(ahead, progress);
    ahead = started;
  }
  await append(ahead, progress);
}

function start(embedder: Embedder, source: TextRows): UnderWay {
  const batch = source.places.length === 0
    ? Promise.resolve({ vectors: new Float32Array(), failures: [] })
    : embedder.embed(source.texts);
  // A rejection is met where the batch is awaited; until then it must not count as unhandled.
  batch.catch(() => {});
  return { source, batch };
}

interface Progress {
  readonly file: VectorFile;
  readonly dimensions: number;
  rows: number;
  embedded: number;
  readonly failures: { readonly place: number; readonly reason: string }[];
}

async function append(batches: readonly UnderWay[], progress: Progress): Promise<void> {
  for (const { source, batch: promise } of batches) {
    const batch = await promise;
    const reasons = new Map(batch.failures.map(({ text, reason }) => [text, reason]));
    for (let text = 0; text < source.places.length; text++) {
      if (reasons.has(text)) continue;
      const reason = vectorProblem(
        batch.vectors.subarray(text * progress.dimensions, (text + 1) * progress.dimensions),
      );
      if (reason !== undefined) reasons.set(text, reason);
    }
    await progress.file.append(
      listsOf(source, { ...progress, vectors: batch.vectors, isUsable: (text) => !reasons.has(text) }),
    );
    for (const [text, reason] of reasons) {
      progress.failures.push({ place: progress.rows + source.places[text]!, reason });
    }
    progress.rows += source.rows;
    progress.embedded += source.places.length - reasons.size;
  }
}

/** A list for each row: its vector, or none. */
function listsOf(
  { rows, places }: TextRows,
  given: {
    readonly vectors: Float32Array;
    readonly dimensions: number;
    readonly isUsable: (text: number) => boolean;
  },
): Lists {
  const { vectors, dimensions, isUsable } = given;
  const lengths = new Int32Array(rows).fill(-1);
  const starts = new Int32Array(rows);
  places.forEach((row, text) => {
    if (!isUsable(text)) return;
    lengths[row] = dimensions;
    starts[row] = text * dimensions;
  });
  return { lengths, starts: (row) => starts[row]!, numbers: vectors };
}

/** Whatever a model gives: a vector of zeros or of no numbers never reaches the lake. */
function vectorProblem(vector: Float32Array): string | undefined {
  let squares = 0;
  for (let index = 0; index < vector.length; index++) squares += vector[index]! * vector[index]!;
  if (squares > 0 && squares < Infinity) return undefined;
  return squares === 0 ? "the model gave a vector of zeros" : "the model gave a vector that is not finite";
}
