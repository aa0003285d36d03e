import assert from "node:assert/strict";
import { join } from "node:path";
import { WeirError } from "../../errors.ts";
import {
  scattered,
  smallTokenizer,
  type StaticModelFiles,
  tensorOf,
  tokensOf,
  writeStaticModel,
} from "../../testing/static_model_files.ts";
import { withTemporaryFolder } from "../../testing/temporary_folder.ts";
import { createEmbedder } from "../create_embedder.ts";
import { textBatch } from "../embedder.ts";
import { findModel } from "../model_source.ts";
import { loadStaticModel } from "./load_static_model.ts";
import { findStatic } from "./static_source.ts";

const tokenizer = smallTokenizer();
const tokens = tokensOf(tokenizer);
const embeddings = tensorOf("I8", [tokens, 16], scattered(tokens * 16, 1).map((value) => value * 127));

/** The tokenizer with other entries. */
function edited(entries: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ ...JSON.parse(tokenizer), ...entries });
}

/** Runs a body with the folder of a model. */
function withModel<T>(files: Partial<StaticModelFiles>, body: (folder: string) => Promise<T>): Promise<T> {
  return withTemporaryFolder(async (folder) => {
    await writeStaticModel(folder, { tokenizer, tensors: { embeddings }, ...files });
    return await body(folder);
  });
}

async function assertRefused(folder: string, message: RegExp): Promise<void> {
  await assert.rejects(
    () => loadStaticModel({ folder, id: "model", revision: "1" }),
    (thrown) => {
      assert.ok(thrown instanceof WeirError);
      assert.equal(thrown.kind, "configuration");
      assert.match(thrown.message, message);
      assert.ok(thrown.detail.path?.startsWith(folder));
      return true;
    },
  );
}

Deno.test("a folder is named as a model, and works in a worker", () =>
  withModel({}, async (folder) => {
    const embedder = await createEmbedder(folder);
    try {
      assert.equal(embedder.model.dimensions, 16);
      assert.equal(embedder.model.semantic, true);
      const { vectors, failures } = await embedder.embed(textBatch(["First name: Édith", "", "town"]));
      assert.deepEqual(failures.map(({ text }) => text), [1]);
      assert.ok(Math.abs(Math.hypot(...vectors.subarray(0, 16)) - 1) < 1e-6);
    } finally {
      await embedder.close();
    }
  }));

Deno.test("a model's revision follows from its files, not from their place, unless it is known", async () => {
  const revisionOf = (files: Partial<StaticModelFiles>) =>
    withModel(files, async (path) => (await findStatic({ path, id: "m" }))?.revision);
  const first = await revisionOf({});
  assert.match(String(first), /^[0-9a-f]{12}$/);
  assert.equal(await revisionOf({}), first);
  assert.notEqual(await revisionOf({ config: { max_length: 10 } }), first);
  assert.notEqual(await revisionOf({ tokenizer: smallTokenizer({ words: ["extra"] }) }), first);
  const pinned = await withModel({}, (path) => findStatic({ path, revision: "0123456789abcdef" }));
  assert.equal(pinned?.revision, "0123456789ab");
});

Deno.test("a folder without a static model is refused, with where and what to do", () =>
  withTemporaryFolder(async (folder) => {
    assert.equal(await findStatic({ path: folder }), undefined);
    await assert.rejects(() => findModel(folder), WeirError);
    await Deno.writeTextFile(join(folder, "config.json"), `{ "model_type": "bert" }`);
    assert.equal(await findStatic({ path: folder }), undefined);
    await assertRefused(folder, /Cannot read a file/);
  }));

Deno.test("what a worker meets in a file is told with the file's place", () =>
  withModel({ tokenizer: "{}" }, async (folder) => {
    await assert.rejects(() => createEmbedder(folder), {
      kind: "configuration",
      detail: { path: join(folder, "tokenizer.json") },
    });
  }));

Deno.test("files that are damaged or do not fit one another are refused", async () => {
  const table = (shape: readonly number[]) => tensorOf("F32", shape, scattered(shape.reduce((a, b) => a * b, 1), 1));
  const refusals: readonly (readonly [Partial<StaticModelFiles>, RegExp])[] = [
    [{ tensors: { other: embeddings } }, /no tensor "embeddings"/],
    [{ tensors: { embeddings: table([tokens]) } }, /no tensor "embeddings"/],
    [{ tensors: { embeddings: table([tokens - 1, 4]) } }, /tokens and the model/],
    [{ tensors: { embeddings, weights: table([tokens - 1]) } }, /one weight per token/],
    [{ tensors: { embeddings, mapping: tensorOf("I32", [tokens], Array(tokens).fill(tokens)) } }, /has no row/],
    [{ tensors: { embeddings, mapping: tensorOf("I32", [tokens], Array(tokens).fill(-1)) } }, /has no row/],
    [{ tensors: { embeddings, mapping: tensorOf("F32", [tokens], Array(tokens).fill(0.5)) } }, /has no row/],
    [{ tensors: { embeddings, mapping: tensorOf("F32", [tokens], Array(tokens).fill(NaN)) } }, /has no row/],
    [{ tokenizer: edited({ decoder: undefined }) }, /tokenizer.json cannot be used.*"decoder"/],
    [{ tokenizer: edited({ normalizer: { type: "X" } }) }, /tokenizer.json cannot be used.*Normalizer type: X/],
    [{ tokenizer: edited({ model: { type: "Nonsense", vocab: {} } }) }, /unknown type "Nonsense"/],
    [{ tokenizer: "{}" }, /tokenizer/],
    [{ tokenizer: "not JSON" }, /tokenizer/],
    [{ config: { max_length: "many" } }, /max_length/],
  ];
  for (const [files, message] of refusals) await withModel(files, (folder) => assertRefused(folder, message));
  await withModel({}, async (folder) => {
    const path = join(folder, "model.safetensors");
    await Deno.writeFile(path, (await Deno.readFile(path)).subarray(0, -1));
    await assertRefused(folder, /Cannot read model weights/);
  });
});
