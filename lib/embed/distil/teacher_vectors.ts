/** Vectors of many texts from the model that is distilled. */
import { type Embedder, textBatch } from "../embedder.ts";
import { WeirError } from "../../errors.ts";
import type { Vectors } from "./principal_axes.ts";

/** Texts given to the teacher at once. Not more than that are lost when it is stopped, and their lengths can be sorted. */
const textsPerBatch = 256;

/** What is told while it goes on. */
export interface TeacherOptions {
  readonly teacher: Embedder;
  readonly signal?: AbortSignal;
  /** Called with the number of texts done. */
  readonly done?: (texts: number) => void;
}

/**
 * The vector of every text, in their order and in batches that depend on the texts alone.
 *
 * @throws {WeirError} `data` if the teacher has no vector for a text.
 */
export async function teacherVectors(texts: readonly string[], options: TeacherOptions): Promise<Vectors> {
  const { teacher, signal, done } = options;
  const { dimensions } = teacher.model;
  const values = new Float32Array(texts.length * dimensions);
  const starts = Array.from({ length: Math.ceil(texts.length / textsPerBatch) }, (_, batch) => batch * textsPerBatch);
  let finished = 0;
  const work = async () => {
    for (let start = starts.shift(); start !== undefined; start = starts.shift()) {
      signal?.throwIfAborted();
      const batch = await teacher.embed(textBatch(texts.slice(start, start + textsPerBatch)));
      const [failure] = batch.failures;
      if (failure !== undefined) {
        throw new WeirError("configuration", `The teacher has no vector for a text: ${failure.reason}`);
      }
      values.set(batch.vectors, start * dimensions);
      finished += batch.vectors.length / dimensions;
      done?.(finished);
    }
  };
  await Promise.all(Array.from({ length: teacher.maxBatchesInFlight }, work));
  return { dimensions, values };
}
