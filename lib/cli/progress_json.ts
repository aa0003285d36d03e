/**
 * Progress for programs, on standard error: one JSON object a line.
 *
 * Promise: a line each second whatever the job does, so that it notices a reader that has gone (see {@linkcode Output.gone}); never
 * more than ten states a second, and never a word on standard output.
 */
import type { Redaction } from "../settings/redaction.ts";
import type { Progress, ProgressState } from "./progress.ts";
import { resultJson } from "./result_json.ts";

/** Where progress goes. */
export interface JsonProgressOptions {
  readonly write: (line: string) => void;
  /** Takes secrets out of its texts. */
  readonly redact: Redaction;
  /** Clock in epoch milliseconds. */
  readonly now?: () => number;
}

const stateEveryMs = 100;
const lineEveryMs = 1000;

/** A state as a program reads it; a line without an activity says only that the job is there. */
export type StateLine = Partial<ProgressState> & {
  /** Epoch milliseconds. */
  readonly timeMs: number;
};

/** Progress as lines of `{"timeMs":…,"activity":…,"rows":…}` and `{"timeMs":…,"note":…}`. */
export class JsonProgress implements Progress, Disposable {
  readonly #write: (object: object) => void;
  readonly #now: () => number;
  readonly #timer: ReturnType<typeof setInterval>;
  #last: ProgressState | undefined;
  /** What has not been told. */
  #waiting: ProgressState | undefined;
  #writtenMs = -Infinity;

  constructor({ write, redact, now = Date.now }: JsonProgressOptions) {
    this.#write = (object) => write(jsonLine(object, redact));
    this.#now = now;
    this.#timer = setInterval(() => this.#tell(this.#waiting ?? {}), lineEveryMs);
    Deno.unrefTimer(Number(this.#timer));
  }

  update(state: ProgressState): void {
    const isNew = state.activity !== this.#last?.activity || state.rows < this.#last.rows;
    if (isNew) this.end();
    this.#last = this.#waiting = state;
    if (isNew || this.#now() - this.#writtenMs >= stateEveryMs) this.#tell(state);
  }

  note(text: string): void {
    this.#write({ timeMs: this.#now(), note: text });
  }

  end(): void {
    if (this.#waiting !== undefined) this.#tell(this.#waiting);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #tell(state: Partial<ProgressState>): void {
    const timeMs = this.#now();
    this.#write({ timeMs, ...state } satisfies StateLine);
    this.#waiting = undefined;
    this.#writtenMs = timeMs;
  }
}

/** An object as a line. */
export function jsonLine(object: object, redact: Redaction): string {
  return `${resultJson(object, redact)}\n`;
}
