/** What is measured against one another: each embeds the same texts in turns with the others. */
import { fileURLToPath } from "node:url";
import { createEmbedder, type EmbedderOptions } from "../../lib/embed/create_embedder.ts";
import { type Embedder, textBatch } from "../../lib/embed/embedder.ts";
import { AnsweringProcess } from "../interop/answering_process.ts";
import { type Taken, taken } from "./capture_bench.ts";

/** One of them. */
export interface Contender extends AsyncDisposable {
  /** As its figures are named. */
  readonly name: string;
  embed(texts: readonly string[]): Promise<Taken>;
}

const cores = navigator.hardwareConcurrency;
const pythonEnvironment = "WEIR_TORCH_PYTHON";
/** The Python with torch, sentence-transformers and model2vec, gigabytes that nothing here makes; undefined where none is named. */
export const torchPython = Deno.env.get(pythonEnvironment);

/** A model of ours. */
export async function ours(name: string, model: string, options: EmbedderOptions = {}): Promise<Contender> {
  const embedder = await createEmbedder(model, options);
  return {
    name,
    embed: (texts) => taken(() => embedAll(embedder, texts)),
    [Symbol.asyncDispose]: () => embedder.close(),
  };
}

/** Texts a batch: some for each worker, and enough that lengths can be sorted within it. A job's batches are larger. */
const textsPerBatch = 128;

async function embedAll(embedder: Embedder, texts: readonly string[]): Promise<void> {
  const batches = Array.from(
    { length: Math.ceil(texts.length / textsPerBatch) },
    (_, index) => textBatch(texts.slice(index * textsPerBatch, (index + 1) * textsPerBatch)),
  );
  const done = await Promise.all(batches.map((batch) => embedder.embed(batch)));
  const failures = done.flatMap(({ failures }) => failures);
  if (failures.length > 0) throw new Error(`${failures.length} texts failed: ${failures[0]!.reason}`);
}

/**
 * sentence-transformers on PyTorch, on all cores. Undefined where no {@linkcode torchPython} is named.
 *
 * @param batchSize Texts of one pass.
 */
export function pyTorch(batchSize: number): Contender | undefined {
  if (torchPython === undefined) {
    console.error(`PyTorch is left out: ${pythonEnvironment} names no Python with torch and sentence-transformers`);
    return undefined;
  }
  const folder = (path: string) => fileURLToPath(new URL(path, import.meta.url));
  const env = { PYTHONPATH: [folder("../interop"), Deno.env.get("PYTHONPATH")].filter(Boolean).join(":") };
  const process = new AnsweringProcess({
    name: "sentence-transformers",
    command: torchPython,
    args: [folder("./sentence_transformers_rate.py")],
    env: { ...env, PYTHONDONTWRITEBYTECODE: "1" },
  });
  return {
    name: `pytorchBatch${batchSize}`,
    async embed(texts) {
      const path = await Deno.makeTempFile();
      try {
        await Deno.writeTextFile(path, JSON.stringify(texts));
        return await process.ask([path, cores, batchSize]) as Taken;
      } finally {
        await Deno.remove(path);
      }
    },
    [Symbol.asyncDispose]: () => process.close(),
  };
}
