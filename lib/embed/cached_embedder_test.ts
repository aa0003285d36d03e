import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { withTemporaryFolder } from "../testing/temporary_folder.ts";
import { cachedEmbedder, withVectorCache } from "./cached_embedder.ts";
import { type Embedder, textBatch, type VectorBatch } from "./embedder.ts";
import { createHashModel } from "./hash_model.ts";
import { keptVectorBytes, VectorCache, type VectorCacheOptions } from "./vector_cache.ts";

/** Counts the texts that reach it. */
function counting(): Embedder & { texts: number } {
  const { model, embedInto } = createHashModel(128);
  return {
    texts: 0,
    model,
    maxBatchesInFlight: 2,
    async embed(texts) {
      this.texts += texts.offsets.length - 1;
      const vectors = new Float32Array((texts.offsets.length - 1) * 128);
      return { vectors, failures: await embedInto(texts, vectors) };
    },
    close: () => Promise.resolve(),
  };
}

function onCache(
  body: (open: (options?: Partial<VectorCacheOptions>) => VectorCache, path: string) => Promise<void>,
): () => Promise<void> {
  return () =>
    withTemporaryFolder(async (folder) => {
      const path = join(folder, "cache", "vectors.sqlite");
      await body(
        (options = {}) => VectorCache.open({ path, model: "hash@1", dimensions: 128, mostBytes: 2 ** 30, ...options }),
        path,
      );
    });
}

const bytesOf = ({ vectors }: VectorBatch) => [...new Uint8Array(vectors.buffer)];

Deno.test(
  "a text is embedded once, also twice in one batch and by the next process, and its vector is the same to the last bit",
  onCache(async (open) => {
    const texts = ["Ann", "", "Ben", "Ann", "Édith", ""];
    const behind = counting();
    const expected = await counting().embed(textBatch(texts));
    {
      using cache = open();
      const embedder = cachedEmbedder(behind, cache);
      const first = await embedder.embed(textBatch(texts));
      assert.deepEqual(bytesOf(first), bytesOf(expected));
      assert.deepEqual(first.failures, expected.failures);
    }
    assert.equal(behind.texts, 4, "the empty one has failed once for both of its places");
    using cache = open();
    const second = await cachedEmbedder(behind, cache).embed(textBatch(["Ben", "Zoe", "Ann"]));
    assert.deepEqual(bytesOf(second), bytesOf(await counting().embed(textBatch(["Ben", "Zoe", "Ann"]))));
    assert.equal(behind.texts, 5);
  }),
);

Deno.test(
  "asked anew the model embeds what is kept too, and what it gave is kept",
  onCache(async (open) => {
    using cache = open();
    const behind = counting();
    const embedder = cachedEmbedder(behind, cache);
    for (const texts of [["Ann"], ["Ann", "Ben"]]) await embedder.anew!.embed(textBatch(texts));
    assert.equal(behind.texts, 3);
    await embedder.embed(textBatch(["Ann", "Ben"]));
    assert.equal(behind.texts, 3);
  }),
);

for (const dimensions of [128, 384, 512, 768]) {
  Deno.test(
    `how many vectors of ${dimensions} dimensions the file will hold is known within a tenth`,
    onCache(async (open) => {
      using cache = open({ dimensions });
      const vectors = Array.from({ length: 2000 }, (_, index) => ({
        key: new Uint8Array(Uint32Array.of(Math.imul(index, 0x9e3779b1), index, index, index).buffer),
        vector: new Float32Array(dimensions),
      }));
      cache.keep(vectors);
      const ratio = cache.bytes / vectors.length / keptVectorBytes(dimensions);
      assert.ok(ratio > 0.9 && ratio < 1.1, `${ratio}`);
      await Promise.resolve();
    }),
  );
}

Deno.test(
  "vectors of another model, revision or size are not taken for its own",
  onCache(async (open) => {
    const behind = counting();
    for (const options of [{}, { model: "hash@2" }, { dimensions: 256 }, {}]) {
      using cache = open(options);
      const found = cache.find([new Uint8Array(16)]);
      assert.deepEqual(found, [undefined]);
      if (options.dimensions !== undefined) continue;
      await cachedEmbedder(behind, cache).embed(textBatch(["Ann"]));
    }
    assert.equal(behind.texts, 2);
  }),
);

Deno.test(
  "the file stays below its bound, and what was asked for last stays",
  onCache(async (open) => {
    const mostBytes = 300_000;
    const batch = (first: number) => textBatch(Array.from({ length: 100 }, (_, index) => `text ${first + index}`));
    {
      using cache = open({ mostBytes });
      await cachedEmbedder(counting(), cache).embed(batch(0));
    }
    for (let first = 100; first < 2000; first += 100) {
      using cache = open({ mostBytes });
      const embedder = cachedEmbedder(counting(), cache);
      await embedder.embed(batch(0));
      await embedder.embed(batch(first));
      assert.ok(cache.bytes <= mostBytes, `${cache.bytes} bytes`);
    }
    using cache = open({ mostBytes });
    const behind = counting();
    await cachedEmbedder(behind, cache).embed(batch(0));
    assert.equal(behind.texts, 0, "asked for by every process");
    await cachedEmbedder(behind, cache).embed(batch(100));
    assert.equal(behind.texts, 100, "asked for once, long ago");
  }),
);

Deno.test(
  "a damaged file is begun anew, and a cache that fails meanwhile is told of once and left alone",
  onCache(async (open, path) => {
    {
      using cache = open();
      assert.equal(cache.size, 0);
    }
    await Deno.writeTextFile(path, "no database at all, and long enough to be looked at");
    using cache = open();
    assert.equal(cache.size, 0);
    const troubles: unknown[] = [];
    const behind = counting();
    const failing = {
      find: () => assert.fail("no disk"),
      keep: () => assert.fail("no disk"),
      [Symbol.dispose]: () => {},
    };
    const embedder = cachedEmbedder(behind, failing, (thrown) => troubles.push(thrown));
    for (let turn = 0; turn < 2; turn++) {
      assert.deepEqual(
        bytesOf(await embedder.embed(textBatch(["Ann"]))),
        bytesOf(await counting().embed(textBatch(["Ann"]))),
      );
    }
    assert.deepEqual([troubles.length, behind.texts], [1, 2]);
    const folder = { path: dirname(path), mostBytes: 1, onTrouble: (thrown: unknown) => troubles.push(thrown) };
    assert.equal(withVectorCache(behind, folder), behind, "a folder is no file to keep vectors in");
    assert.equal(troubles.length, 2);
  }),
);

Deno.test(
  "two processes may use one file at the same time",
  onCache(async (open) => {
    using one = open();
    using other = open();
    const [left, right] = [counting(), counting()];
    await Promise.all([
      cachedEmbedder(left, one).embed(textBatch(["Ann"])),
      cachedEmbedder(right, other).embed(textBatch(["Ben"])),
    ]);
    await cachedEmbedder(left, one).embed(textBatch(["Ben"]));
    await cachedEmbedder(right, other).embed(textBatch(["Ann"]));
    assert.deepEqual([left.texts, right.texts], [1, 1]);
  }),
);
