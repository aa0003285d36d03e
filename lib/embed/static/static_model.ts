/**
 * Static models in the layout of model2vec: a row of floats per token, a text's vector is the mean of its tokens' rows.
 *
 * Promise: the vector of a text depends on the text and the model's files alone, to the bit. A text is cut into segments, at
 * places that its own bytes decide; each segment's rows are added up in their order and then the segments in theirs. So a sum
 * that is remembered is the sum that would be made again. Of 512 tokens it is within 1e-6 of the exact one.
 */
import type { EmbeddingFailure, EmbeddingModel, TextBatch } from "../embedder.ts";
import type { TextModel } from "../text_model.ts";
import { RowMemory } from "./row_memory.ts";
import { maxCachedBytes, type Segment, SegmentCache } from "./segment_cache.ts";
import type { TextTokenizer } from "./text_tokenizer.ts";
import { noToken } from "./word_pieces.ts";

/** What a static model is made of. */
export interface StaticModelParts {
  readonly model: EmbeddingModel;
  readonly tokenizer: TextTokenizer;
  /** Rows of the table: one per token. */
  readonly rows: number;
  /** Whether the numbers are whole and fit into a byte: the table then takes a quarter of the memory, and sums are exact. */
  readonly isOfBytes: boolean;
  /** Writes a token's numbers. */
  readRow(token: number, row: Float32Array | Int8Array): void;
  /** How many tokens of a text are read. */
  readonly maxTokens: number;
  /** How many characters of a text are read. */
  readonly maxCharacters: number;
}

/** Sums of segments remembered take at most so much memory beside the table. */
const cacheBytes = 8 * 1024 * 1024;
/** Tokens of a segment that are added up at once. Sums of sums round less than one long sum. */
const maxStretch = 32;
/** Sums of segments that wait to be added up. */
const waitingRows = 64;

const fullStop = 0x2e;
const space = 0x20;
/** FNV-1a, 32 bits: http://www.isthe.com/chongo/tech/comp/fnv/ */
const fnvOffset = 0x811c9dc5 | 0;
const fnvPrime = 0x01000193;

/** A model whose vectors are there at once. */
export interface StaticModel extends TextModel {
  /** As `TextModel` has it; adds the texts that are longer than the model reads to the counts. */
  embedInto(
    texts: TextBatch,
    vectors: Float32Array,
    counts?: { truncated: number },
  ): readonly EmbeddingFailure[];
}

/** Makes the model. */
export function createStaticModel(parts: StaticModelParts): StaticModel {
  const pooling = new Pooling(parts);
  const { dimensions } = parts.model;
  return {
    model: parts.model,
    embedInto(texts: TextBatch, vectors: Float32Array, counts?: { truncated: number }): readonly EmbeddingFailure[] {
      const failures: EmbeddingFailure[] = [];
      for (let text = 0; text + 1 < texts.offsets.length; text++) {
        const reason = pooling.embed(texts.bytes, texts.offsets[text]!, texts.offsets[text + 1]!);
        if (reason === undefined) vectors.set(pooling.vector, text * dimensions);
        else failures.push({ text, reason });
        if (counts !== undefined && pooling.truncated) counts.truncated++;
      }
      return failures;
    },
  };
}

/** From the bytes of a text to its vector, one text at a time. */
class Pooling {
  /** The vector of the latest text. */
  readonly vector: Float32Array;
  /** Whether the latest text is longer than the model reads. */
  truncated = false;
  readonly #parts: StaticModelParts;
  readonly #memory: RowMemory;
  readonly #table: number;
  readonly #tableRowBytes: number;
  readonly #total: number;
  /** Rows for the sums of segments that are not remembered, one per place of the list. */
  readonly #scratch: number;
  readonly #tokens: Uint32Array;
  /** Sums of segments that are not in the total yet, in their order. */
  readonly #segments: Uint32Array;
  #waiting = 0;
  /** Tokens of the text that may still be read. */
  #budget = 0;
  readonly #segment: Segment = { bytes: new Uint8Array(), from: 0, to: 0, hash: 0 };
  readonly #cache: SegmentCache;
  readonly #cached: number;
  /** Per slot of the cache: tokens, those that no vector holds among them. */
  readonly #counts: Uint8Array;
  /** Per slot of the cache: whether any token has a row. */
  readonly #known: Uint8Array;

  constructor(parts: StaticModelParts) {
    this.#parts = parts;
    const rowBytes = Math.max(1, parts.model.dimensions) * Float32Array.BYTES_PER_ELEMENT;
    this.#cache = new SegmentCache(2 ** Math.floor(Math.log2(cacheBytes / rowBytes)));
    const { slots } = this.#cache;
    const sums = slots + waitingRows + 1;
    this.#memory = new RowMemory(
      parts.model.dimensions,
      parts.isOfBytes ? { floats: sums, bytes: parts.rows } : { floats: sums + parts.rows },
    );
    this.#tokens = this.#memory.takeList(maxStretch);
    this.#segments = this.#memory.takeList(waitingRows);
    this.#total = this.#memory.takeRows(1);
    this.#scratch = this.#memory.takeRows(waitingRows);
    this.#cached = this.#memory.takeRows(slots);
    this.#table = parts.isOfBytes ? this.#memory.takeByteRows(parts.rows) : this.#memory.takeRows(parts.rows);
    this.#tableRowBytes = parts.isOfBytes ? this.#memory.byteRowBytes : this.#memory.rowBytes;
    this.#counts = new Uint8Array(slots);
    this.#known = new Uint8Array(slots);
    this.vector = this.#memory.row(this.#total);
    for (let token = 0; token < parts.rows; token++) {
      const address = this.#table + token * this.#tableRowBytes;
      parts.readRow(token, parts.isOfBytes ? this.#memory.byteRow(address) : this.#memory.row(address));
    }
  }

  /** Leaves the text's {@linkcode vector}, or answers why it has none. */
  embed(bytes: Uint8Array, from: number, to: number): string | undefined {
    this.truncated = false;
    if (from === to) return "the text is empty";
    const { tokenizer } = this.#parts;
    const end = this.#endOfCharacters(bytes, from, to);
    this.truncated = end < to;
    this.#waiting = 0;
    this.#budget = this.#parts.maxTokens;
    if (tokenizer.separable) this.#addSegments(bytes, from, end);
    else this.#addTokens(tokenizer.tokenize(bytes, from, end));
    if (this.#waiting === 0) return "the text holds nothing that the model knows";
    this.#memory.sum(this.#segments, this.#waiting, this.#total);
    return this.#memory.normalise(this.#total) ? undefined : "the model's rows for the text add up to nothing";
  }

  /** Finds the segments, and each one's hash on the way. */
  #addSegments(bytes: Uint8Array, from: number, to: number): void {
    const segment = this.#segment;
    segment.bytes = bytes;
    segment.from = from;
    let hash = fnvOffset;
    let previous = 0;
    for (let index = from; index < to; index++) {
      const byte = bytes[index]!;
      hash = Math.imul(hash ^ byte, fnvPrime);
      if (byte === space && previous === fullStop || index === to - 1) {
        segment.to = index + 1;
        segment.hash = hash;
        this.#addSegment(segment);
        segment.from = index + 1;
        if (this.#budget === 0) break;
        hash = fnvOffset;
      }
      previous = byte;
    }
    if (segment.from < to) this.truncated = true;
  }

  #addSegment(segment: Segment): void {
    const cache = this.#cache;
    const slot = cache.slotOf(segment);
    const row = this.#cached + slot * this.#memory.rowBytes;
    if (cache.holds(slot, segment) && this.#counts[slot]! <= this.#budget) {
      this.#budget -= this.#counts[slot]!;
      if (this.#known[slot] === 1) this.#wait(row);
      return;
    }
    const { bytes, from, to } = segment;
    const tokens = this.#parts.tokenizer.tokenize(bytes, from, to);
    const isCacheable = to - from <= maxCachedBytes && tokens <= Math.min(this.#budget, maxStretch);
    if (!isCacheable || !cache.admits(slot, segment)) return this.#addTokens(tokens);
    // The row may be waiting, for what its slot held until now.
    this.#settle();
    this.#known[slot] = this.#addStretch(0, tokens, row) ? 1 : 0;
    this.#counts[slot] = tokens;
    this.#budget -= tokens;
    cache.admit(slot, segment);
  }

  /** Adds up the tokens of the latest piece of text, as many as may still be read. */
  #addTokens(tokens: number): void {
    const count = Math.min(tokens, this.#budget);
    this.truncated ||= count < tokens;
    this.#budget -= count;
    for (let first = 0; first < count; first += maxStretch) {
      const row = this.#scratch + this.#waiting * this.#memory.rowBytes;
      this.#addStretch(first, Math.min(first + maxStretch, count), row);
    }
  }

  /** Adds some of the tokens up in a row. Answers whether there was any to add. */
  #addStretch(first: number, end: number, row: number): boolean {
    const { ids, unknown } = this.#parts.tokenizer;
    const rowBytes = this.#tableRowBytes;
    const list = this.#tokens;
    let listed = 0;
    for (let index = first; index < end; index++) {
      const id = ids[index]!;
      if (id !== unknown && id !== noToken) list[listed++] = this.#table + id * rowBytes;
    }
    if (listed === 0) return false;
    if (this.#parts.isOfBytes) this.#memory.sumBytes(list, listed, row);
    else this.#memory.sum(list, listed, row);
    this.#wait(row);
    return true;
  }

  /** Puts the sum of a segment behind those that wait. */
  #wait(row: number): void {
    this.#segments[this.#waiting++] = row;
    if (this.#waiting === waitingRows) this.#settle();
  }

  /** Adds up what waits: the total stands first in what follows, so that the order of additions is the same ever. */
  #settle(): void {
    if (this.#waiting === 0) return;
    this.#memory.sum(this.#segments, this.#waiting, this.#total);
    this.#segments[0] = this.#total;
    this.#waiting = 1;
  }

  /** Where the characters end that are read, in UTF-8. */
  #endOfCharacters(bytes: Uint8Array, from: number, to: number): number {
    const { maxCharacters } = this.#parts;
    if (to - from <= maxCharacters) return to;
    let characters = 0;
    for (let index = from; index < to; index++) {
      if ((bytes[index]! & 0xc0) !== 0x80 && ++characters > maxCharacters) return index;
    }
    return to;
  }
}
