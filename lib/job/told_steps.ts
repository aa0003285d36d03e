/** The steps of one job: those so far, and those to come. */
import type { JobState, JobStep } from "./job_step.ts";

/** Newest steps that are kept: some twenty minutes of a job that says something ten times a second. */
const mostSteps = 12_000;

/** Iterating gives the steps that are kept, then each that comes, until the job ends. */
export class ToldSteps implements AsyncIterable<JobStep> {
  #steps: JobStep[] = [];
  /** Older ones, which are not kept. */
  #dropped = 0;
  #isOver = false;
  #news = Promise.withResolvers<void>();

  /** The newest state. */
  get state(): JobState | undefined {
    return this.#steps.findLast((step): step is JobState => "activity" in step);
  }

  /** All notes that are kept. */
  get notes(): readonly string[] {
    return this.#steps.flatMap((step) => "note" in step ? [step.note] : []);
  }

  add(step: JobStep): void {
    this.#steps.push(step);
    if (this.#steps.length >= 2 * mostSteps) {
      this.#steps = this.#steps.slice(mostSteps);
      this.#dropped += mostSteps;
    }
    this.#tell();
  }

  /** There are no more. */
  end(): void {
    this.#isOver = true;
    this.#tell();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<JobStep, void> {
    for (let next = this.#dropped;; next++) {
      next = Math.max(next, this.#dropped);
      while (next - this.#dropped >= this.#steps.length) {
        if (this.#isOver) return;
        await this.#news.promise;
      }
      yield this.#steps[next - this.#dropped]!;
    }
  }

  #tell(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }
}
