/**
 * A static model out of any sentence model: every token of the teacher's vocabulary, and every phrase that a corpus of record
 * texts shares, gets one vector, and a text's vector is the mean of its tokens'.
 *
 * Four steps. What the teacher says of each token by itself (Model2Vec: https://github.com/MinishLab/model2vec), along the
 * principal axes of its vectors; weights that make frequent words count less; then the whole table is fitted so that sums over
 * the corpus point where the teacher's vectors of those texts do; last the axes are evened out. A phrase is its pieces and what
 * they miss, so that both learn from each text and the pieces keep what they mean wherever else they stand. What no text of the
 * corpus holds the fit leaves as it was.
 *
 * Promise: the same teacher vectors, texts and options give the same bytes.
 */
import { WeirError } from "../../errors.ts";
import type { Embedder } from "../embedder.ts";
import type { StockTokenizer } from "../static/stock_tokenizer.ts";
import { fitTable } from "./corpus_fit.ts";
import { evenAxes } from "./even_axes.ts";
import { type Int8Table, toInt8 } from "./int8_table.ts";
import { principalAxes, project, type Vectors } from "./principal_axes.ts";
import { type DenseRows, multiply, type SparseRows, tokenCounts } from "./sparse_rows.ts";
import type { Variant } from "./misspelling.ts";
import { type TeacherOptions, teacherVectors } from "./teacher_vectors.ts";
import { type TokenText, tokenTexts } from "./token_table.ts";

/** What {@linkcode distilModel} works with. */
export interface DistilOptions {
  readonly teacher: Embedder;
  /** The teacher's tokens in the order of their ids. */
  readonly vocabulary: readonly string[];
  /** Before a piece that continues a word. */
  readonly continuingPrefix: string;
  /** Phrases with a token of their own; their ids follow those of the vocabulary. */
  readonly phrases: readonly string[];
  /** Reads texts as the teacher's tokenizer, without phrases. */
  readonly pieces: StockTokenizer;
  /** Reads texts with phrases. */
  readonly tokenizer: StockTokenizer;
  /** Token left out of means. */
  readonly unknownToken: number;
  /** Texts like those that will be embedded. */
  readonly corpus: readonly string[];
  /** Short texts that people would search by. Default: none. */
  readonly questions?: readonly string[];
  /** Texts that are to get the vectors of texts of the corpus, which the teacher is not asked about. Default: none. */
  readonly variants?: readonly Variant[];
  /** Floats per vector. */
  readonly dimensions: number;
  readonly signal?: AbortSignal;
  readonly note?: (text: string) => void;
  /** Called with the texts the teacher has answered and how many there are. */
  readonly progress?: (done: number, all: number) => void;
}

/** How strongly tokens are held to what the teacher says of them alone, and how often the fit is made (see `fitTable`). */
const fit = { ridge: 0.3, rounds: 6 };
/** How much a variant counts against a text that the teacher was asked about. */
const variantWeight = 0.2;
/**
 * How far the axes are evened out (see `evenAxes`): of texts that it was not fitted to a model then finds more of the teacher's
 * nearest again. With more than this it finds fewer, and the order of all pairs agrees less.
 */
const evening = 0.2;
/** How much the vocabulary shapes the axes against the corpus: enough that words of no record can still be told apart. */
const vocabularyWeight = 0.1;

/**
 * Makes the table: a row per token, phrases last.
 *
 * @throws {WeirError} `configuration` for more dimensions than the teacher's.
 */
export async function distilModel(options: DistilOptions): Promise<Int8Table> {
  requireDimensions(options);
  const { dimensions, note, phrases, questions = [], variants = [], vocabulary } = options;
  const corpus = [...options.corpus, ...questions];
  const tokens = tokenTexts(vocabulary, options.continuingPrefix);
  note?.(`asking the teacher about ${tokens.length} tokens`);
  const alone = await tokenVectors(tokens, asked(options, tokens.length));
  note?.(
    `asking the teacher about ${options.corpus.length} texts and ${questions.length} questions made out of their words`,
  );
  const whole = await teacherVectors(corpus, asked(options, corpus.length));
  note?.("finding the axes");
  const axes = principalAxes([{ ...whole, weight: 1 }, { ...alone, weight: vocabularyWeight }], dimensions);
  const texts = tokenCounts(
    [...corpus, ...variants.map(({ text }) => text)].map((text) => piecesAndPhrases(text, options)),
  );
  const values = new Float64Array((vocabulary.length + phrases.length) * dimensions);
  values.set(weighted(project(alone, axes), { tokens, dimensions }));
  const table = { width: dimensions, values: scaled(values, { dimensions, texts }) };
  const unit = unitRows(project(whole, axes), dimensions);
  const targets = { width: dimensions, values: withVariants(unit, { dimensions, variants }) };
  note?.("fitting the table to the texts");
  const weights = new Float64Array(corpus.length + variants.length).fill(variantWeight).fill(1, 0, corpus.length);
  const signal = options.signal && { signal: options.signal };
  const fitted = fitTable({ ...fit, texts, weights, targets, table, ...signal });
  const even = evenAxes(fitted, { width: dimensions, values: unit }, evening);
  return toInt8(withPieces(even, options), dimensions);
}

function requireDimensions({ teacher: { model }, dimensions }: DistilOptions): void {
  if (dimensions <= model.dimensions) return;
  const message = `Cannot make vectors of ${dimensions} dimensions: those of ${model.id} have ${model.dimensions}`;
  throw new WeirError("configuration", message, { advice: `Give --dimensions ${model.dimensions} or fewer` });
}

function asked({ teacher, signal, progress }: DistilOptions, all: number): TeacherOptions {
  return { teacher, ...(signal && { signal }), done: (done) => progress?.(done, all) };
}

/** The tokens of a text as it is without phrases, and its phrases beside them. */
function piecesAndPhrases(text: string, { pieces, tokenizer, unknownToken, vocabulary }: DistilOptions): number[] {
  const phrases = tokenizer.encode(text).filter((token) => token >= vocabulary.length);
  return [...pieces.encode(text).filter((token) => token !== unknownToken), ...phrases];
}

/** Adds to every phrase the rows of its pieces, in whose place it stands in a text. */
function withPieces(table: Float64Array, options: DistilOptions): Float64Array {
  const { dimensions, phrases, pieces, unknownToken, vocabulary } = options;
  const found = Float64Array.from(table);
  phrases.forEach((phrase, index) => {
    const row = (vocabulary.length + index) * dimensions;
    for (const piece of pieces.encode(phrase)) {
      if (piece === unknownToken) continue;
      for (let axis = 0; axis < dimensions; axis++) found[row + axis]! += table[piece * dimensions + axis]!;
    }
  });
  return found;
}

async function tokenVectors(tokens: readonly TokenText[], options: TeacherOptions): Promise<Vectors> {
  const { dimensions, values } = await teacherVectors(tokens.flatMap(({ text }) => text ?? []), options);
  const all = new Float32Array(tokens.length * dimensions);
  let place = 0;
  tokens.forEach(({ text }, token) => {
    if (text === undefined) return;
    all.set(values.subarray(place * dimensions, (place + 1) * dimensions), token * dimensions);
    place++;
  });
  return { dimensions, values: all };
}

function weighted(
  values: Float64Array,
  { tokens, dimensions }: { readonly tokens: readonly TokenText[]; readonly dimensions: number },
): Float64Array {
  return values.map((value, place) => value * tokens[Math.floor(place / dimensions)]!.weight);
}

/** All rows by one number, so that sums over the corpus have length 1 on average, as their targets do. */
function scaled(
  values: Float64Array,
  { dimensions, texts }: { readonly dimensions: number; readonly texts: SparseRows },
): Float64Array {
  const sums = new Float64Array((texts.starts.length - 1) * dimensions);
  multiply(texts, { width: dimensions, values }, sums);
  const lengths = rowLengths({ width: dimensions, values: sums });
  const average = lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
  return values.map((value) => value / average);
}

function unitRows(values: Float64Array, width: number): Float64Array {
  const lengths = rowLengths({ width, values });
  return values.map((value, place) => value / lengths[Math.floor(place / width)]!);
}

/** Rows, and behind them that of each variant's text. */
function withVariants(
  rows: Float64Array,
  { dimensions, variants }: { readonly dimensions: number; readonly variants: readonly Variant[] },
): Float64Array {
  const found = new Float64Array(rows.length + variants.length * dimensions);
  found.set(rows);
  variants.forEach(({ of }, place) => {
    found.set(rows.subarray(of * dimensions, (of + 1) * dimensions), rows.length + place * dimensions);
  });
  return found;
}

function rowLengths({ width, values }: DenseRows): Float64Array {
  const lengths = new Float64Array(values.length / width);
  for (let row = 0; row < lengths.length; row++) {
    let squares = 0;
    for (let index = row * width; index < (row + 1) * width; index++) squares += values[index]! * values[index]!;
    lengths[row] = Math.sqrt(squares);
  }
  return lengths;
}
