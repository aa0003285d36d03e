/**
 * The deterministic `hash` model: signed feature hashing of words and byte trigrams. It needs no files and is fast, and it
 * is not semantic: texts are near when they share words and letters, whatever those mean.
 *
 * Method: Weinberger et al., "Feature Hashing for Large Scale Multitask Learning" (ICML 2009): a feature adds its weight,
 * with a sign taken from the hash, to the coordinate taken from the hash. Works on UTF-8 bytes: ASCII letters are lower-cased,
 * other ASCII but digits separates words, bytes from 0x80 on are letters. Integer arithmetic until the final
 * normalisation, so every machine computes the same vector.
 */
import { WeirError } from "../errors.ts";
import type { EmbeddingFailure, EmbeddingModel, TextBatch } from "./embedder.ts";
import type { TextModel } from "./text_model.ts";

/** Sizes the model comes in. */
export const hashModelDimensions: readonly number[] = [128, 256, 384];

const separator = 0;
const wordWeight = 4;
const trigramWeight = 2;
/** FNV-1a, 32 bits: http://www.isthe.com/chongo/tech/comp/fnv/ */
const fnvOffset = 0x811c9dc5 | 0;
const fnvPrime = 0x01000193;
/** Murmur3's finaliser constants; they spread every input bit over the whole word. */
const mixFirst = 0x85ebca6b | 0;
const mixSecond = 0xc2b2ae35 | 0;

/**
 * Name, revision and size of the hash model.
 *
 * @throws {WeirError} `configuration` if there is no such size. Default 128.
 */
export function describeHashModel(dimensions = 128): EmbeddingModel {
  if (!hashModelDimensions.includes(dimensions)) {
    throw new WeirError(
      "configuration",
      `Cannot make hash vectors of ${dimensions} dimensions: choose ${hashModelDimensions.join(", ")}`,
    );
  }
  return { id: "weir-hash-nonsemantic", revision: "1", dimensions, semantic: false };
}

/**
 * Makes the model.
 *
 * @throws {WeirError} `configuration` if there is no such size. Default 128.
 */
export function createHashModel(dimensions?: number): TextModel {
  const model = describeHashModel(dimensions);
  const sums = new Int32Array(model.dimensions);
  return {
    model,
    embedInto(texts: TextBatch, vectors: Float32Array): readonly EmbeddingFailure[] {
      const failures: EmbeddingFailure[] = [];
      for (let text = 0; text + 1 < texts.offsets.length; text++) {
        const from = texts.offsets[text]!;
        const to = texts.offsets[text + 1]!;
        if (to === from) failures.push({ text, reason: "the text is empty" });
        else {
          sums.fill(0);
          addFeatures(texts.bytes.subarray(from, to), sums);
          normalise(sums, vectors.subarray(text * model.dimensions, (text + 1) * model.dimensions));
        }
      }
      return failures;
    },
  };
}

/** What a byte counts as: itself, its lower-case letter, or a separator. */
const letters = Uint8Array.from({ length: 256 }, (_, byte) => {
  const isUpper = byte >= 0x41 && byte <= 0x5a;
  const isWord = byte >= 0x80 || (byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x7a);
  return isUpper ? byte + 0x20 : isWord ? byte : separator;
});

/** One pass over the bytes; the hot loop of the model, so it allocates nothing. */
function addFeatures(bytes: Uint8Array, sums: Int32Array): void {
  let word = fnvOffset;
  let trigram = 0;
  let whole = fnvOffset;
  for (let index = 0; index < bytes.length; index++) {
    const letter = letters[bytes[index]!]!;
    whole = Math.imul(whole ^ letter, fnvPrime);
    if (letter === separator) {
      if (word !== fnvOffset) addFeature(sums, word, wordWeight);
      word = fnvOffset;
      trigram = 0;
    } else {
      word = Math.imul(word ^ letter, fnvPrime);
      trigram = (trigram << 8 | letter) & 0xffffff;
      if (trigram > 0xffff) addFeature(sums, trigram, trigramWeight);
    }
  }
  if (word !== fnvOffset) addFeature(sums, word, wordWeight);
  // Every other weight is even: the odd one keeps the sum from ever being zero in all coordinates.
  addFeature(sums, whole, 1);
}

function addFeature(sums: Int32Array, feature: number, weight: number): void {
  let hash = Math.imul(feature ^ feature >>> 16, mixFirst);
  hash = Math.imul(hash ^ hash >>> 13, mixSecond);
  // The upper 16 bits, scaled to the size, choose the coordinate; the bit below them chooses the sign.
  const coordinate = Math.imul(hash >>> 16, sums.length) >>> 16;
  sums[coordinate]! += (hash >>> 15 & 1) === 0 ? weight : -weight;
}

function normalise(sums: Int32Array, vector: Float32Array): void {
  let squares = 0;
  for (let index = 0; index < sums.length; index++) squares += sums[index]! * sums[index]!;
  const scale = 1 / Math.sqrt(squares);
  for (let index = 0; index < sums.length; index++) vector[index] = sums[index]! * scale;
}
