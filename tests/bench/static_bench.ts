/**
 * How fast a static model embeds: ours on one thread, with caches cold and warm and with the stock tokenizer alone, and Python's
 * model2vec with the same files and texts.
 *
 * `deno run -A tests/bench/static_bench.ts TOKENIZER_JSON TEXTS_JSON [PYTHON]` measures tables of 128, 256 and 384 dimensions
 * whose numbers are made up: speed does not depend on them.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type TextBatch, textBatch } from "../../lib/embed/embedder.ts";
import { loadStaticModel } from "../../lib/embed/static/load_static_model.ts";
import type { StaticModel } from "../../lib/embed/static/static_model.ts";
import { staticModelFiles } from "../../lib/embed/static/static_source.ts";
import { scattered, tensorOf, tokensOf, writeStaticModel } from "../../lib/testing/static_model_files.ts";
import { withTemporaryFolder } from "../../lib/testing/temporary_folder.ts";

/** Texts a second. */
export interface StaticRates {
  readonly dimensions: number;
  /** A model that was loaded just now. */
  readonly cold: number;
  /** The same texts again. */
  readonly warm: number;
  /** Every text read by the stock tokenizer, and remembered as ever. */
  readonly stock: number;
  /** model2vec on one thread, and on as many as it takes. */
  readonly python?: number;
  readonly pythonAllThreads?: number;
}

/** What is measured. */
export interface StaticBench {
  /** Folder of the model. */
  readonly folder: string;
  readonly texts: readonly string[];
  /** A Python that has model2vec. Default: it is not measured. */
  readonly python?: string;
}

/** As many as a job embeds at once. */
const batchTexts = 2048;

/** Measures one model; a model is loaded for each figure. */
export async function measureStatic({ folder, texts, python }: StaticBench): Promise<StaticRates> {
  const batches = Array.from(
    { length: Math.ceil(texts.length / batchTexts) },
    (_, batch) => textBatch(texts.slice(batch * batchTexts, (batch + 1) * batchTexts)),
  );
  // The code itself is warm in both: a job compiles it once.
  const first = await load(folder);
  for (let run = 0; run < 3; run++) perSecond(first, batches);
  const model = await load(folder);
  const cold = perSecond(model, batches);
  const warm = perSecond(model, batches);
  const stock = await withTemporaryFolder(async (copy) => {
    await withoutOwnTokenizer(folder, copy);
    return perSecond(await load(copy), batches);
  });
  const rates = { dimensions: model.model.dimensions, cold, warm, stock };
  if (python === undefined) return rates;
  const theirs = (threads: Record<string, string>) => measurePython(python, { folder, texts, threads });
  return {
    ...rates,
    python: await theirs({ RAYON_NUM_THREADS: "1", OMP_NUM_THREADS: "1" }),
    pythonAllThreads: await theirs({}),
  };
}

/** Writes a model of made-up numbers into a folder that exists. */
export async function writeMadeUpModel(
  folder: string,
  { tokenizer, dimensions }: { readonly tokenizer: string; readonly dimensions: number },
): Promise<void> {
  const plain = { ...JSON.parse(tokenizer), truncation: null, padding: null, post_processor: null };
  const rows = tokensOf(tokenizer);
  const values = scattered(rows * dimensions, dimensions).map((value) => value * 127);
  const embeddings = tensorOf("I8", [rows, dimensions], values);
  await writeStaticModel(folder, { tokenizer: JSON.stringify(plain), tensors: { embeddings } });
}

function load(folder: string): Promise<StaticModel> {
  return loadStaticModel({ folder, id: "measured", revision: "1" });
}

function perSecond(model: StaticModel, batches: readonly TextBatch[]): number {
  const vectors = new Float32Array(batchTexts * model.model.dimensions);
  const begin = performance.now();
  for (const batch of batches) model.embedInto(batch, vectors);
  const texts = batches.reduce((sum, { offsets }) => sum + offsets.length - 1, 0);
  return Math.round(texts / (performance.now() - begin) * 1000);
}

/** A copy of a model with a token that our tokenizer leaves to the stock one, and with it every text. */
async function withoutOwnTokenizer(folder: string, copy: string): Promise<void> {
  for (const name of staticModelFiles) await Deno.copyFile(join(folder, name), join(copy, name));
  const path = join(copy, "tokenizer.json");
  const tokenizer = JSON.parse(await Deno.readTextFile(path));
  tokenizer.added_tokens[0].single_word = true;
  await Deno.writeTextFile(path, JSON.stringify(tokenizer));
}

async function measurePython(
  python: string,
  { folder, texts, threads }: StaticBench & { readonly threads: Record<string, string> },
): Promise<number> {
  return await withTemporaryFolder(async (place) => {
    const file = join(place, "texts.json");
    await Deno.writeTextFile(file, JSON.stringify(texts));
    const script = fileURLToPath(new URL("./static_bench.py", import.meta.url));
    const { code, stdout } = await new Deno.Command(python, {
      args: [script, folder, file],
      env: { PYTHONDONTWRITEBYTECODE: "1", ...threads },
      stderr: "inherit",
    }).output();
    if (code !== 0) throw new Error("model2vec could not be measured");
    return JSON.parse(new TextDecoder().decode(stdout)).perSecond;
  });
}

if (import.meta.main) {
  const [tokenizerFile = "", textsFile = "", python] = Deno.args;
  const tokenizer = await Deno.readTextFile(tokenizerFile);
  const texts: string[] = JSON.parse(await Deno.readTextFile(textsFile));
  for (const dimensions of [128, 256, 384]) {
    await withTemporaryFolder(async (folder) => {
      await writeMadeUpModel(folder, { tokenizer, dimensions });
      console.log(JSON.stringify(await measureStatic({ folder, texts, ...(python === undefined ? {} : { python }) })));
    });
  }
}
