/**
 * The one place that imports transformers.js: only a job that runs a transformer loads its 50 MB of native code.
 *
 * Runs inside a worker: onnxruntime blocks the thread that calls it.
 */
import { AutoModel, env, LogLevel, type PreTrainedModel, Tensor } from "@huggingface/transformers";
import { dirname } from "node:path";
import { WeirError } from "../../errors.ts";
import type { TransformerSource } from "./transformer_source.ts";

/** Ids of texts of one batch, each padded to the longest. */
export interface TokenBatch {
  readonly texts: number;
  readonly tokens: number;
  /** `texts × tokens` ids. */
  readonly ids: BigInt64Array<ArrayBuffer>;
  /** 1 for a token, 0 for padding. */
  readonly mask: BigInt64Array<ArrayBuffer>;
}

/** `texts × tokens × size` floats. */
export interface HiddenStates {
  readonly values: Float32Array;
  readonly size: number;
}

/** A transformer that runs. */
export class TransformerRuntime {
  readonly #model: PreTrainedModel;

  private constructor(model: PreTrainedModel) {
    this.#model = model;
  }

  /** @throws {WeirError} `configuration` if the model cannot be loaded, or not on this device. */
  static async load(source: TransformerSource): Promise<TransformerRuntime> {
    keepToTheFolder();
    const { folder, file, device, threads } = source;
    const subfolder = dirname(file);
    try {
      const model = await AutoModel.from_pretrained(folder, {
        local_files_only: true,
        subfolder: subfolder === "." ? "" : subfolder,
        // The file is named whole: what stands for the dtype in its name is ours to find.
        model_file_name: file.slice(subfolder === "." ? 0 : subfolder.length + 1).replace(/\.onnx$/, ""),
        dtype: "fp32",
        device,
        session_options: sessionOptions(threads),
      });
      return new TransformerRuntime(model);
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      const place = device === "cpu" ? "" : ` on ${device}`;
      throw new WeirError("configuration", `Cannot load the model ${source.id}${place}: ${reason}`, {
        detail: { path: `${folder}/${file}` },
        ...(device === "cpu" ? {} : { advice: `Use --model-device cpu, or a machine whose ${device} can be used` }),
      });
    }
  }

  /** Runs a batch. */
  async run(batch: TokenBatch): Promise<HiddenStates> {
    const shape = [batch.texts, batch.tokens];
    const output: Readonly<Record<string, unknown>> = await this.#model({
      input_ids: new Tensor("int64", batch.ids, shape),
      attention_mask: new Tensor("int64", batch.mask, shape),
    });
    const states = Object.values({ first: output["last_hidden_state"], second: output["token_embeddings"], ...output })
      .find((tensor) => tensor instanceof Tensor && tensor.dims.length === 3);
    if (!(states instanceof Tensor) || states.dims[0] !== batch.texts || states.dims[1] !== batch.tokens) {
      throw new WeirError(
        "configuration",
        "The model gives no vector per token: it is none that texts are embedded with",
      );
    }
    return { values: floats(states.data), size: states.dims[2]! };
  }
}

function floats(data: unknown): Float32Array {
  if (data instanceof Float32Array) return data;
  if (data instanceof Float16Array) return Float32Array.from(data);
  if (data instanceof Uint16Array) return Float32Array.from(new Float16Array(data.buffer as ArrayBuffer));
  throw new WeirError("configuration", "The model gives vectors of a type that is not known: neither fp32 nor fp16");
}

/** Nothing is fetched or cached, and nothing written to the console: that would show ids of texts. */
function keepToTheFolder(): void {
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  env.useBrowserCache = false;
  env.useFSCache = false;
  env.useWasmCache = false;
  env.cacheDir = null;
  env.localModelPath = "";
  env.logLevel = LogLevel.NONE;
}

function sessionOptions(threads: number): Readonly<Record<string, unknown>> {
  return {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: "all",
    // Threads that wait for work would otherwise take the cores that DuckDB works on.
    extra: { session: { intra_op: { allow_spinning: "0" } } },
  };
}
