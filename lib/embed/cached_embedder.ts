/**
 * An embedder that asks for a text's vector only once.
 *
 * Promise: vectors and failures are those of the embedder behind it. The cache's key is the text's hash within a model and
 * revision: the template is part of the text. Texts that fail are not kept. A cache that cannot be read or written costs time
 * and nothing else.
 */
import { createHash } from "node:crypto";
import { type Embedder, type EmbeddingFailure, modelVersion, type TextBatch, type VectorBatch } from "./embedder.ts";
import { type CachedVector, VectorCache, type VectorCacheOptions } from "./vector_cache.ts";

/** The cache that {@linkcode cachedEmbedder} needs. */
export type VectorStore = Pick<VectorCache, "find" | "keep" | typeof Symbol.dispose>;

/** A file of vectors, and who hears of trouble with it. */
export interface CacheOptions extends Pick<VectorCacheOptions, "path" | "mostBytes"> {
  /** Hears once why the cache is not used: embedding goes on without. */
  readonly onTrouble: (thrown: unknown) => void;
}

/** Puts a cache in a file before an embedder; one that cannot be opened is trouble like any other. */
export function withVectorCache(embedder: Embedder, { path, mostBytes, onTrouble }: CacheOptions): Embedder {
  try {
    const { model } = embedder;
    const cache = VectorCache.open({ path, mostBytes, model: modelVersion(model), dimensions: model.dimensions });
    return cachedEmbedder(embedder, cache, onTrouble);
  } catch (thrown) {
    onTrouble(thrown);
    return embedder;
  }
}

/**
 * Puts a cache before an embedder. Closing what it gives closes both.
 *
 * @param onTrouble Hears once why the cache is not used any more.
 */
export function cachedEmbedder(
  embedder: Embedder,
  store: VectorStore,
  onTrouble: (thrown: unknown) => void = () => {},
): Embedder {
  let broken = false;
  const attempt = <T>(work: () => T): T | undefined => {
    if (broken) return undefined;
    try {
      return work();
    } catch (thrown) {
      broken = true;
      onTrouble(thrown);
      return undefined;
    }
  };
  const { dimensions } = embedder.model;
  const through = (known: (keys: readonly Uint8Array[]) => FoundVectors, anew?: Embedder): Embedder => ({
    model: embedder.model,
    maxBatchesInFlight: embedder.maxBatchesInFlight,
    ...(anew === undefined ? {} : { anew }),
    get truncated() {
      return embedder.truncated ?? 0;
    },
    async close() {
      await embedder.close();
      store[Symbol.dispose]();
    },
    async embed(texts) {
      const keys = textKeys(texts);
      const found = known(keys);
      const missing = firstOfEach(keys, found);
      if (missing.places.length === 0) return assembled({ found, missing, dimensions });
      const batch = await embedder.embed(subset(texts, missing.places));
      attempt(() => store.keep(usable(batch, { keys, missing, dimensions })));
      return assembled({ found, missing, batch, dimensions });
    },
  });
  return through((keys) => attempt(() => store.find(keys)) ?? [], through(() => []));
}

type FoundVectors = readonly (Float32Array | undefined)[];

/** The texts to embed: of equal ones the first. */
interface MissingTexts {
  /** Index in the batch of each. */
  readonly places: readonly number[];
  /** For each text of the batch that was not found: which of `places` is its own. */
  readonly indexOf: readonly (number | undefined)[];
}

/** MD5, as everywhere for a text: not against an attacker, who would only spoil his own vectors. */
function textKeys({ bytes, offsets }: TextBatch): readonly Uint8Array[] {
  return Array.from(
    { length: offsets.length - 1 },
    (_, text) => createHash("md5").update(bytes.subarray(offsets[text]!, offsets[text + 1]!)).digest(),
  );
}

function firstOfEach(
  keys: readonly Uint8Array[],
  found: FoundVectors,
): MissingTexts {
  const known = new Map<string, number>();
  const places: number[] = [];
  const indexOf = keys.map((key, place) => {
    if (found[place] !== undefined) return undefined;
    const name = String.fromCharCode(...key);
    const index = known.get(name) ?? places.push(place) - 1;
    known.set(name, index);
    return index;
  });
  return { places, indexOf };
}

function subset({ bytes, offsets }: TextBatch, places: readonly number[]): TextBatch {
  const parts = places.map((place) => bytes.subarray(offsets[place]!, offsets[place + 1]!));
  const ends = new Uint32Array(places.length + 1);
  parts.forEach((part, index) => ends[index + 1] = ends[index]! + part.length);
  const joined = new Uint8Array(ends[places.length]!);
  parts.forEach((part, index) => joined.set(part, ends[index]!));
  return { bytes: joined, offsets: ends };
}

function usable(
  { vectors, failures }: VectorBatch,
  given: { readonly keys: readonly Uint8Array[]; readonly missing: MissingTexts; readonly dimensions: number },
): readonly CachedVector[] {
  const failed = new Set(failures.map(({ text }) => text));
  return given.missing.places.flatMap((place, index) =>
    failed.has(index) ? [] : [{
      key: given.keys[place]!,
      vector: vectors.subarray(index * given.dimensions, (index + 1) * given.dimensions),
    }]
  );
}

function assembled(parts: {
  readonly found: FoundVectors;
  readonly missing: MissingTexts;
  readonly batch?: VectorBatch;
  readonly dimensions: number;
}): VectorBatch {
  const { found, missing: { indexOf }, batch, dimensions } = parts;
  const vectors = new Float32Array(indexOf.length * dimensions);
  const failures: EmbeddingFailure[] = [];
  const reasons = new Map(batch?.failures.map(({ text, reason }) => [text, reason]));
  for (const [text, index] of indexOf.entries()) {
    const reason = index === undefined ? undefined : reasons.get(index);
    if (reason !== undefined) failures.push({ text, reason });
    else {
      vectors.set(
        found[text] ?? batch!.vectors.subarray(index! * dimensions, (index! + 1) * dimensions),
        text * dimensions,
      );
    }
  }
  return { vectors, failures };
}
