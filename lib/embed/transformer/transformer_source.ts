/** A transformer in a folder: which of its files make its vectors, and the revision that follows from them. */
import { basename, join } from "node:path";
import { storageError, WeirError } from "../../errors.ts";
import type { PoolingMode } from "./pooling.ts";
import { readSentenceModules, type SentenceModules, usageFiles } from "./sentence_modules.ts";
import { filesChecksum, type ModelFolder, revisionDigits } from "../model_files.ts";

/** Where a model can run. */
export type ModelDevice = "cpu" | "webgpu" | "cuda";

/** All devices. */
export const modelDevices: readonly ModelDevice[] = ["cpu", "webgpu", "cuda"];

/** What a user may say about a transformer beside its name. */
export interface TransformerOptions {
  /** Which of the model's files: `fp32`, `fp16`, `q8`, `q4` …, or the end of a file's name (`O3` is `model_O3.onnx`). Default `fp32`. */
  readonly dtype?: string;
  /** Default `cpu`. */
  readonly device?: ModelDevice;
  /** In place of what the model's files say. */
  readonly pooling?: PoolingMode;
}

/** What a worker needs to load a transformer. */
export interface TransformerSource extends SentenceModules {
  readonly kind: "transformer";
  readonly id: string;
  readonly revision: string;
  /** Absolute path. */
  readonly folder: string;
  /** The ONNX file, from the folder. */
  readonly file: string;
  /** Size of that file and of those beside it that hold its larger tensors: what every worker has a copy of. */
  readonly bytes: number;
  readonly device: ModelDevice;
  /** Threads of one worker's model. */
  readonly threads: number;
}

/** Names of dtypes and how the files that hold them end, as transformers.js has it. */
const suffixes: Readonly<Record<string, string>> = { fp32: "", q8: "_quantized" };

/** The file that holds a model's weights in a dtype, from `onnx/` or the folder itself. */
export function onnxFileName(dtype: string): string {
  return `model${suffixes[dtype] ?? `_${dtype}`}.onnx`;
}

/** The dtype that a file holds; undefined for a file that is no model. */
export function dtypeOf(file: string): string | undefined {
  const suffix = /(?:^|\/)model(|_\w+)\.onnx$/.exec(file)?.[1];
  if (suffix === undefined) return undefined;
  return Object.keys(suffixes).find((dtype) => suffixes[dtype] === suffix) ?? suffix.slice(1);
}

/**
 * Picks the file of a dtype.
 *
 * @param files Paths from the model's folder.
 * @throws {WeirError} `configuration` naming the dtypes there are.
 */
export function chooseOnnxFile(files: readonly string[], dtype: string, model: string): string {
  const name = onnxFileName(dtype);
  const found = [`onnx/${name}`, name].find((file) => files.includes(file));
  if (found !== undefined) return found;
  const others = files.map(dtypeOf).filter((other) => other !== undefined).toSorted();
  throw new WeirError("configuration", `The model ${model} has no ${name} (${dtype})`, {
    advice: others.length > 0
      ? `Choose with --model-dtype from ${[...new Set(others)].join(", ")}`
      : "Export it to ONNX first, into onnx/model.onnx in its folder; no other form of weights can be run here",
  });
}

/**
 * Looks a folder through.
 *
 * @throws {WeirError} `configuration` where a file is missing or asks for something that is not done here, `storage` where one
 * cannot be read.
 */
export async function findTransformer(folder: ModelFolder, options: TransformerOptions): Promise<TransformerSource> {
  const { dtype = "fp32", device = "cpu", pooling } = options;
  const id = folder.id ?? basename(folder.path);
  const files = await filesOf(folder.path);
  const file = chooseOnnxFile(files, dtype, id);
  const missing = ["config.json", "tokenizer.json"].find((name) => !files.includes(name));
  if (missing !== undefined) {
    throw new WeirError("configuration", `The model ${id} has no ${missing}`, { detail: { path: folder.path } });
  }
  const usage = await readSentenceModules(folder.path, pooling);
  const deciding = files.filter((name) => name.startsWith(file) || isUsageFile(name));
  const pinned = folder.revision ?? await filesChecksum(folder.path, deciding);
  const revision = [pinned.slice(0, revisionDigits), dtype, ...(pooling === undefined ? [] : [pooling])].join("-");
  const weights = await Promise.all(
    files.filter((name) => name.startsWith(file)).map((name) => Deno.stat(join(folder.path, name))),
  );
  const bytes = weights.reduce((sum, { size }) => sum + size, 0);
  return { kind: "transformer", id, revision, folder: folder.path, file, bytes, device, threads: 1, ...usage };
}

/** Whether a file says how the model is used; modules have folders of their own, such as `1_Pooling`. */
export function isUsageFile(name: string): boolean {
  return usageFiles.includes(name) || /^\d+_\w+\/config\.json$/.test(name);
}

/** Paths of a folder's files and of those one folder below. */
async function filesOf(folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  try {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      if (!isDirectory) found.push(name);
      else for await (const below of Deno.readDir(join(folder, name))) found.push(`${name}/${below.name}`);
    }
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) {
      throw new WeirError("configuration", `There is no embedding model in ${folder}: the folder does not exist`);
    }
    throw storageError(thrown, folder);
  }
  return found.toSorted();
}
