/**
 * Progress for people, on standard error: one line that is rewritten on a terminal, now and then a plain line elsewhere.
 *
 * Promise: cheap to call per micro-batch, and never a word on standard output.
 */
import { cutText } from "./fitted_text.ts";
import type { Progress, ProgressState } from "./progress.ts";
import { progressLine } from "./progress_line.ts";

/** Where progress goes and how. */
export interface TextProgressOptions {
  readonly write: (text: string) => void;
  /** One line, rewritten. Default: no. */
  readonly rewrite?: boolean;
  /** Cells per line. Default 80. */
  readonly columns?: () => number;
  /** Clock in milliseconds. */
  readonly now?: () => number;
}

const rewriteEveryMs = 100;
const lineEveryMs = 5_000;
/** The rate is that of the last seconds, so that it shows what happens now. */
const rateWindowMs = 5_000;

interface Sample {
  readonly timeMs: number;
  readonly rows: number;
}

/** A progress display. */
export class TextProgress implements Progress {
  readonly #write: (text: string) => void;
  readonly #rewrite: boolean;
  readonly #columns: () => number;
  readonly #now: () => number;
  #samples: Sample[] = [];
  #last: ProgressState | undefined;
  #shown: ProgressState | undefined;
  #shownLine = "";
  #shownMs = -Infinity;
  #open = false;

  constructor(options: TextProgressOptions) {
    this.#write = options.write;
    this.#rewrite = options.rewrite ?? false;
    this.#columns = options.columns ?? (() => 80);
    this.#now = options.now ?? (() => performance.now());
  }

  update(state: ProgressState): void {
    const now = this.#now();
    const changed = state.activity !== this.#last?.activity || state.rows < this.#last.rows;
    if (changed) this.#finishActivity(now);
    this.#samples.push({ timeMs: now, rows: state.rows });
    while (this.#samples.length > 2 && now - (this.#samples[0]?.timeMs ?? now) > rateWindowMs) this.#samples.shift();
    this.#last = state;
    if (changed || now - this.#shownMs >= (this.#rewrite ? rewriteEveryMs : lineEveryMs)) this.#show(state, now);
  }

  note(text: string): void {
    this.#write(`${this.#open ? "\r\x1b[K" : ""}${text}\n`);
    this.#open = false;
    this.#shownMs = -Infinity;
    if (this.#rewrite) this.#shown = undefined;
  }

  end(): void {
    this.#finishActivity(this.#now());
    this.#last = undefined;
  }

  #finishActivity(now: number): void {
    if (this.#last !== undefined && this.#last.rows > 0 && this.#last !== this.#shown) this.#show(this.#last, now);
    if (this.#open) this.#write("\n");
    this.#open = false;
    this.#samples = [];
  }

  #show(state: ProgressState, now: number): void {
    const line = progressLine(state, { rate: this.#rowsPerSecond(), hasBar: this.#rewrite });
    if (this.#rewrite) this.#write(`\r\x1b[K${cutText(line, this.#columns() - 1)}`);
    // What stands there already says nothing new.
    else if (line !== this.#shownLine) this.#write(`${line}\n`);
    this.#open = this.#rewrite;
    this.#shown = state;
    this.#shownLine = line;
    this.#shownMs = now;
  }

  #rowsPerSecond(): number | undefined {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (first === undefined || last === undefined || last.timeMs === first.timeMs) return undefined;
    return (last.rows - first.rows) * 1000 / (last.timeMs - first.timeMs);
  }
}
