/** A transformer as a model of texts: tokenize, batch by length, run, pool. Runs inside a worker. */
import { join } from "node:path";
import process from "node:process";
import type { EmbeddingFailure, TextBatch } from "../embedder.ts";
import type { TextCounts, TextModel } from "../text_model.ts";
import { loadTokenizer } from "./load_tokenizer.ts";
import { normalise, pool } from "./pooling.ts";
import type { TextTokenizer } from "./text_tokenizer.ts";
import { roundsByBatch } from "./rounding.ts";
import { type BatchBudget, planBatches } from "./token_batches.ts";
import type { HiddenStates, TokenBatch } from "./transformer_runtime.ts";
import type { TransformerSource } from "./transformer_source.ts";

/** What runs batches of ids: the transformer. */
interface Runtime {
  run(batch: TokenBatch): Promise<HiddenStates>;
}

/**
 * Loads a transformer.
 *
 * @throws {WeirError} `configuration` for files that cannot be used, or a device that is not there.
 */
export async function loadTransformer(source: TransformerSource): Promise<TextModel> {
  const tokenizer = await loadTokenizer(source.folder, source.rules);
  hideSurroundings();
  const { TransformerRuntime } = await import("./transformer_runtime.ts");
  const runtime = await TransformerRuntime.load(source);
  // A text through all of it: what does not fit together is told before anything is captured, and how large a vector is.
  const { size } = await runtime.run(batchOf([tokenizer.read("a").ids]));
  const budget = await roundsByBatch(join(source.folder, source.file)) ? oneByOne : together;
  return new TransformerModel(source, { tokenizer, runtime, size, budget });
}

/**
 * Takes from this worker what transformers.js 4.3.1 knows a browser's worker by. It would fail on a location without an origin as it
 * is imported, and a run that fails would fail every later one, as it queues them behind one another there. What it brings along asks
 * for the environment and a report on the machine, which it has no permission for and no need of.
 */
function hideSurroundings(): void {
  for (const name of ["location", "self"]) Reflect.deleteProperty(globalThis, name);
  Object.defineProperty(process, "env", { value: {} });
  // All that is looked for in it is which C library there is; Deno for Linux runs on this one alone.
  process.report.getReport = () => ({ header: { glibcVersionRuntime: "2" }, sharedObjects: [] });
}

/** What passes between layers still fits into a core's cache: all-MiniLM-L6-v2 took a tenth longer with 4096 tokens, or with 45. */
const together: BatchBudget = { tokens: 1024, texts: 64 };
/**
 * Of a model whose rounding follows the batch, a text's vector would depend on what stands beside it: all-MiniLM-L6-v2 in q8 gave
 * the same text of a payment vectors whose cosine was 0.98. Alone texts of 45 tokens cost no more, nothing being padded; those of 8
 * a third more.
 */
const oneByOne: BatchBudget = { tokens: 1, texts: 1 };

class TransformerModel implements TextModel {
  readonly model: TextModel["model"];
  readonly #source: TransformerSource;
  readonly #tokenizer: TextTokenizer;
  readonly #runtime: Runtime;
  readonly #budget: BatchBudget;

  constructor(
    source: TransformerSource,
    parts: {
      readonly tokenizer: TextTokenizer;
      readonly runtime: Runtime;
      readonly size: number;
      readonly budget: BatchBudget;
    },
  ) {
    const { id, revision, pooling } = source;
    this.#source = source;
    this.#tokenizer = parts.tokenizer;
    this.#runtime = parts.runtime;
    this.#budget = parts.budget;
    this.model = { id, revision, dimensions: parts.size * pooling.length, semantic: true };
  }

  async embedInto(texts: TextBatch, vectors: Float32Array, counts?: TextCounts): Promise<readonly EmbeddingFailure[]> {
    const failures: EmbeddingFailure[] = [];
    const ids = stringsOf(texts).map((text) => {
      const { ids, truncated } = this.#tokenizer.read(text);
      if (truncated && counts !== undefined) counts.truncated++;
      return ids;
    });
    const filled = [...ids.keys()].filter((text) => texts.offsets[text] !== texts.offsets[text + 1]);
    for (let text = 0; text < ids.length; text++) {
      if (texts.offsets[text] === texts.offsets[text + 1]) failures.push({ text, reason: "the text is empty" });
    }
    for (const batch of planBatches(filled.map((text) => ids[text]!.length), this.#budget)) {
      const members = batch.map((index) => filled[index]!);
      failures.push(...await this.#embedBatch({ members, ids, vectors }));
    }
    return failures;
  }

  /** A batch that fails is tried text by text, so that one text does not take others with it. */
  async #embedBatch(task: BatchTask): Promise<readonly EmbeddingFailure[]> {
    const { members, ids } = task;
    let states: HiddenStates;
    try {
      states = await this.#runtime.run(batchOf(members.map((text) => ids[text]!)));
    } catch {
      if (members.length === 1) return [{ text: members[0]!, reason: "the model failed on the text" }];
      const alone: EmbeddingFailure[] = [];
      for (const text of members) alone.push(...await this.#embedBatch({ ...task, members: [text] }));
      return alone;
    }
    return this.#place(states, task);
  }

  #place({ values, size }: HiddenStates, { members, ids, vectors }: BatchTask): readonly EmbeddingFailure[] {
    const { dimensions } = this.model;
    const stride = Math.max(...members.map((text) => ids[text]!.length)) * size;
    return members.flatMap((text, row) => {
      const vector = vectors.subarray(text * dimensions, (text + 1) * dimensions);
      const tokens = ids[text]!.length;
      const start = row * stride;
      pool({ values: values.subarray(start, start + tokens * size), tokens, size }, this.#source.pooling, vector);
      const reason = normalise(vector);
      return reason === undefined ? [] : [{ text, reason }];
    });
  }
}

interface BatchTask {
  /** Texts of the batch. */
  readonly members: readonly number[];
  /** Ids of every text. */
  readonly ids: readonly (readonly number[])[];
  readonly vectors: Float32Array;
}

/** Texts of a batch; a byte order mark is a character like others. */
function stringsOf({ bytes, offsets }: TextBatch): string[] {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  return Array.from(
    { length: offsets.length - 1 },
    (_, text) => decoder.decode(bytes.subarray(offsets[text], offsets[text + 1])),
  );
}

/** Padded on the right, where a mask hides it. */
function batchOf(texts: readonly (readonly number[])[]): TokenBatch {
  const tokens = Math.max(...texts.map((ids) => ids.length));
  const ids = new BigInt64Array(texts.length * tokens);
  const mask = new BigInt64Array(texts.length * tokens);
  // Ids are small: writing the lower half of each word spares a BigInt per token.
  const [lowIds, lowMask] = [new Int32Array(ids.buffer), new Int32Array(mask.buffer)];
  texts.forEach((text, row) => {
    for (let token = 0; token < text.length; token++) {
      const at = 2 * (row * tokens + token);
      lowIds[at] = text[token]!;
      lowMask[at] = 1;
    }
  });
  return { texts: texts.length, tokens, ids, mask };
}
