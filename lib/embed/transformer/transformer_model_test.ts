import assert from "node:assert/strict";
import { join } from "node:path";
import { ModelHub } from "../../testing/model_hub.ts";
import {
  tinyDimensions,
  tinyIds,
  tinyModelFiles,
  tinyRoundingModel,
  tinyVector,
  writeTinyModel,
} from "../../testing/tiny_model.ts";
import { withTemporaryFolder } from "../../testing/temporary_folder.ts";
import { createEmbedder } from "../create_embedder.ts";
import { type Embedder, modelVersion, textBatch, type VectorBatch } from "../embedder.ts";
import { findModel, type ModelOptions } from "../model_source.ts";
import { findTransformer } from "./transformer_source.ts";

/** One worker, not one a core: each loads the library, which takes a hundred times what the model does. */
const one = { workers: 1 } as const;

async function withTiny(
  body: (embedder: Embedder, folder: string) => Promise<void>,
  options: ModelOptions = {},
): Promise<void> {
  await withTemporaryFolder(async (folder) => {
    await writeTinyModel(folder);
    const embedder = await createEmbedder(folder, { ...one, ...options });
    try {
      await body(embedder, folder);
    } finally {
      await embedder.close();
    }
  });
}

/** Mean of the tokens' vectors, of length 1. */
function expected(...words: readonly string[]): number[] {
  const vectors = tinyIds(...words).map(tinyVector);
  const sums = Array.from({ length: tinyDimensions }, (_, at) => vectors.reduce((sum, vector) => sum + vector[at]!, 0));
  return sums.map((sum) => sum / Math.hypot(...sums));
}

function near(batch: VectorBatch, text: number, wanted: readonly number[]): void {
  const vector = batch.vectors.slice(text * tinyDimensions, (text + 1) * tinyDimensions);
  for (const [at, value] of vector.entries()) assert.ok(Math.abs(value - wanted[at]!) < 1e-6, `${vector} ${wanted}`);
}

Deno.test("texts of any length in one batch each get the vector of their own tokens, in their order", async () => {
  await withTiny(async (embedder) => {
    const batch = await embedder.embed(
      textBatch(["Ann", "ANN pays Bob", "rome", "anns", "zürich!", "bob pays ann rome"]),
    );
    assert.deepEqual(batch.failures, []);
    near(batch, 0, expected("ann"));
    near(batch, 1, expected("ann", "pays", "bob"));
    near(batch, 2, expected("rome"));
    near(batch, 3, expected("ann", "##s"));
    near(batch, 4, expected("[UNK]", "[UNK]"));
    near(batch, 5, expected("bob", "pays", "ann", "rome"));
    assert.equal(embedder.truncated, 0);
  });
});

Deno.test("of a text that is too long the beginning counts, closed as the model closes texts, and it is counted", async () => {
  await withTiny(async (embedder) => {
    const batch = await embedder.embed(
      textBatch(["bob pays ann rome rome rome", "bob pays ann rome", "ann ".repeat(500)]),
    );
    near(batch, 0, expected("bob", "pays", "ann", "rome"));
    near(batch, 1, expected("bob", "pays", "ann", "rome"));
    near(batch, 2, expected("ann", "ann", "ann", "ann"));
    assert.equal(embedder.truncated, 2);
    await embedder.embed(textBatch(["ann ann ann ann ann"]));
    assert.equal(embedder.truncated, 3);
  });
});

Deno.test("a text the model fails on, or whose vector is no number, is a failure and its neighbours are not", async () => {
  await withTiny(async (embedder) => {
    const batch = await embedder.embed(textBatch(["ann", "ann broken", "", "in rome", "bob"]));
    assert.deepEqual(batch.failures.toSorted((left, right) => left.text - right.text), [
      { text: 1, reason: "the model failed on the text" },
      { text: 2, reason: "the text is empty" },
      { text: 3, reason: "the model gave a vector that is not finite" },
    ]);
    near(batch, 0, expected("ann"));
    near(batch, 4, expected("bob"));
  });
});

Deno.test("a text has the same vector alone and beside others, also where the model rounds by the largest of its batch", async () => {
  await withTemporaryFolder(async (folder) => {
    await writeTinyModel(folder);
    await Deno.writeFile(join(folder, "onnx/model_quantized.onnx"), tinyRoundingModel());
    const texts = ["ann", "bob", "ann pays", "zürich rome", "ann pays bob", "anns", "rome"];
    for (const dtype of ["fp32", "q8"]) {
      const embedder = await createEmbedder(folder, { ...one, dtype });
      const together = await embedder.embed(textBatch(texts));
      for (const [text, content] of texts.entries()) {
        const alone = await embedder.embed(textBatch([content]));
        near(together, text, [...alone.vectors]);
      }
      await embedder.close();
    }
  });
});

Deno.test("a pooling the user names is the one that is used, and part of the revision", async () => {
  await withTiny(async (embedder) => {
    const batch = await embedder.embed(textBatch(["ann"]));
    const [cls] = tinyIds().map(tinyVector);
    near(batch, 0, cls!.map((value) => value / Math.hypot(...cls!)));
    assert.match(embedder.model.revision, /^[0-9a-f]{12}-fp32-cls$/);
  }, { pooling: "cls" });
});

Deno.test("the revision is that of the files that make the vectors, and of nothing else", async () => {
  await withTemporaryFolder(async (folder) => {
    await writeTinyModel(folder);
    const revisionNow = async () => (await findTransformer({ path: folder }, {})).revision;
    const before = await revisionNow();
    assert.match(before, /^[0-9a-f]{12}-fp32$/);
    await Deno.writeTextFile(join(folder, "README.md"), "Something else");
    await Deno.writeTextFile(join(folder, "onnx/model_fp16.onnx"), "others");
    assert.equal(await revisionNow(), before);
    for (const file of ["sentence_bert_config.json", "onnx/model.onnx", "1_Pooling/config.json", "tokenizer.json"]) {
      const kept = await Deno.readFile(join(folder, file)).catch(() => new Uint8Array());
      await Deno.writeTextFile(join(folder, file), `{"max_seq_length": 4, "pooling_mode_cls_token": true}`);
      assert.notEqual(await revisionNow(), before, file);
      if (kept.length === 0) await Deno.remove(join(folder, file));
      else await Deno.writeFile(join(folder, file), kept);
    }
    assert.equal(await revisionNow(), before);
  });
});

Deno.test("a model of the hub embeds as one of a folder does, is named with its commit, and needs no hub again", async () => {
  await withTemporaryFolder(async (cacheFolder) => {
    const hub = new ModelHub("example/tiny", tinyModelFiles());
    const { endpoint } = hub;
    for (const offline of [false, true]) {
      const embedder = await createEmbedder("example/tiny", { ...one, hub: { endpoint, cacheFolder, offline } });
      if (!offline) await hub[Symbol.asyncDispose]();
      assert.equal(modelVersion(embedder.model), `example/tiny@${"1".repeat(12)}-fp32`);
      near(await embedder.embed(textBatch(["ann pays bob"])), 0, expected("ann", "pays", "bob"));
      await embedder.close();
    }
  });
});

Deno.test("a folder that cannot be used says what is missing, before anything runs", async () => {
  await withTemporaryFolder(async (folder) => {
    const find = (options: ModelOptions = {}, path = folder) => findModel(path, options);
    await assert.rejects(find({}, join(folder, "none")), { kind: "configuration", message: /no such folder/ });
    await assert.rejects(find(), { kind: "configuration", advice: /Export it to ONNX/ });
    await writeTinyModel(folder);
    await assert.rejects(find({ dtype: "q8" }), {
      message: /has no model_quantized\.onnx \(q8\)/,
      advice: "Choose with --model-dtype from fp32",
    });
    await Deno.writeTextFile(join(folder, "onnx/model_q4.onnx"), "no model");
    await assert.rejects(createEmbedder(folder, { ...one, dtype: "q4" }), {
      kind: "configuration",
      message: /Cannot load/,
    });
    await Deno.writeTextFile(join(folder, "tokenizer.json"), "{}");
    await assert.rejects(createEmbedder(folder, one), {
      kind: "configuration",
      message: /tokenizer\.json cannot be used/,
    });
    await Deno.remove(join(folder, "tokenizer.json"));
    await assert.rejects(find(), { kind: "configuration", message: /has no tokenizer\.json/ });
  });
});
