import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createEmbedder } from "./create_embedder.ts";
import { type Embedder, type TextBatch, textBatch } from "./embedder.ts";
import { createHashModel } from "./hash_model.ts";
import { batchesPerWorker, WorkerPool } from "./worker_pool.ts";

const source = { kind: "hash" } as const;

async function withPool(pool: Embedder, body: (pool: Embedder) => Promise<void>): Promise<void> {
  try {
    await body(pool);
  } finally {
    await pool.close();
  }
}

/** A worker that runs the text of a script. */
function script(text: string): URL {
  return new URL(`data:application/javascript,${encodeURIComponent(text)}`);
}

/** Answers after 1–5 ms with one float: how many batches it held at once so far. */
const countingWorker = script(`
  let held = 0, most = 0;
  onmessage = ({ data }) => {
    if (data.kind === "load") return postMessage({ kind: "loaded", model: {} });
    most = Math.max(most, ++held);
    setTimeout(() => {
      held--;
      postMessage({ kind: "embedded", batch: data.batch, vectors: new Float32Array([most]), failures: [] });
    }, 1 + data.batch % 5);
  };`);

/** Loads, and never answers a batch. */
const silentWorker = script(`
  onmessage = ({ data }) => { if (data.kind === "load") postMessage({ kind: "loaded", model: {} }); };`);

/** Throws at its second batch, never answers the first. */
const failingWorker = script(`
  let batches = 0;
  onmessage = ({ data }) => {
    if (data.kind === "load") postMessage({ kind: "loaded", model: {} });
    else if (++batches === 2) throw new RangeError("out of memory");
  };`);

/** What became of each call: its vectors' length, or the error's kind and message. */
async function endings(calls: readonly Promise<{ readonly vectors: Float32Array }>[]) {
  return (await Promise.allSettled(calls)).map((end) =>
    end.status === "fulfilled" ? end.value.vectors.length : `${end.reason.kind}: ${end.reason.message}`
  );
}

/** The batch that the model cannot work with: it has not even the offset of an end. */
const unreadable = (): TextBatch => ({ bytes: new Uint8Array(), offsets: new Uint32Array() });

Deno.test("each call gets the vectors of its own texts, from several workers and whatever ends first", async () => {
  const batches = Array.from(
    { length: 60 },
    (_, batch) =>
      Array.from({ length: batch % 7 === 0 ? 900 : batch % 3 }, (_, text) => `text ${text} of batch ${batch}`),
  );
  const { embedInto } = createHashModel(256);
  await withPool(await createEmbedder("hash:256", { workers: 3 }), async (pool) => {
    const answers = await Promise.all(batches.map((texts) => pool.embed(textBatch(texts))));
    for (const [batch, texts] of batches.entries()) {
      const expected = new Float32Array(texts.length * 256);
      embedInto(textBatch(texts), expected);
      assert.deepEqual(answers[batch]?.failures, []);
      assert.deepEqual(Buffer.from(answers[batch]!.vectors.buffer), Buffer.from(expected.buffer));
    }
  });
});

Deno.test("an empty text is a failure of its own, and its batch goes on", async () => {
  await withPool(await createEmbedder("hash"), async (pool) => {
    const { vectors, failures } = await pool.embed(textBatch(["a", "", "b"]));
    assert.deepEqual(failures, [{ text: 1, reason: "the text is empty" }]);
    assert.equal(vectors.length, 3 * 128);
  });
});

for (const workers of [1, 2, 3]) {
  Deno.test(`at most ${batchesPerWorker} batches wait at each of ${workers} workers, and every call has its turn`, async () => {
    await withPool(await WorkerPool.start(source, workers, countingWorker), async (pool) => {
      assert.equal(pool.maxBatchesInFlight, workers * batchesPerWorker);
      const early = Array.from({ length: 30 }, () => pool.embed(textBatch(["a"])));
      const late = early.map(async (call) => {
        await call;
        return await pool.embed(textBatch(["a"]));
      });
      const held = (await Promise.all([...early, ...late])).map(({ vectors }) => vectors[0]);
      assert.equal(Math.max(...held as number[]), batchesPerWorker);
    });
  });
}

Deno.test("a model that fails at one batch says why, and the others are answered", async () => {
  await withPool(await WorkerPool.start(source, 1), async (pool) => {
    const calls = [pool.embed(textBatch(["a"])), pool.embed(unreadable()), pool.embed(textBatch(["b"]))];
    const [first, failed, last] = await endings(calls);
    assert.deepEqual([first, last], [128, 128]);
    assert.match(String(failed), /^internal: The embedding model failed: .*(length|size)/i);
    assert.deepEqual(await endings([pool.embed(textBatch(["c"]))]), [128]);
  });
});

Deno.test("a worker that dies takes every pending, waiting and later call along, and says why", async () => {
  await withPool(await WorkerPool.start(source, 2, failingWorker), async (pool) => {
    const calls = Array.from({ length: 9 }, () => pool.embed(textBatch(["a"])));
    for (const ending of await endings(calls)) {
      assert.match(String(ending), /^internal: An embedding worker failed: .*out of memory/);
    }
    await assert.rejects(pool.embed(textBatch(["a"])), { kind: "internal", message: /out of memory/ });
  });
});

Deno.test("a worker that cannot even start fails the start, not the process", async () => {
  const broken = script("throw new Error('no model here')");
  await assert.rejects(WorkerPool.start(source, 2, broken), {
    kind: "internal",
    message: /embedding worker failed: .*no model here/,
  });
});

Deno.test("closing in the middle of work rejects what is pending, waiting and later, and may be repeated", async () => {
  const pool = await WorkerPool.start(source, 2, silentWorker);
  const calls = Array.from({ length: 9 }, () => pool.embed(textBatch(["a"])));
  const ended = endings(calls);
  await pool.close();
  await pool.close();
  assert.deepEqual(await ended, calls.map(() => "interrupted: The embedding workers were stopped"));
  await assert.rejects(pool.embed(textBatch(["a"])), { kind: "interrupted" });
});

Deno.test("a batch's own buffers are handed over, and of a larger one a copy", async () => {
  await withPool(await WorkerPool.start(source, 1), async (pool) => {
    const own = textBatch(["a", "b"]);
    const larger = textBatch(["a", "b"]);
    const part = { bytes: larger.bytes.subarray(1), offsets: larger.offsets.subarray(0, 2) };
    const [both, second] = await Promise.all([pool.embed(own), pool.embed(part)]);
    assert.equal(own.bytes.byteLength, 0);
    assert.equal(larger.bytes.byteLength, 2);
    assert.deepEqual(second.vectors, both.vectors.slice(128));
  });
});

Deno.test("an unknown model, a size it does not have and a pool without workers are refused before anything embeds", async () => {
  await assert.rejects(createEmbedder("word2vec"), {
    kind: "configuration",
    message: /"word2vec"$/,
  });
  for (const size of ["100", "", "large", "128.5", "-128", "1e9"]) {
    await assert.rejects(createEmbedder(`hash:${size}`), {
      kind: "configuration",
      message: /dimensions: choose 128/,
    });
  }
  for (const workers of [0, -1, 1.5, NaN]) {
    await assert.rejects(createEmbedder("hash", { workers }), { name: "RangeError", message: /1 or more/ });
  }
});
