/**
 * Progress on standard error: one line that is rewritten on a terminal, now and then a plain line elsewhere.
 *
 * Promise: cheap to call per micro-batch, and never a word on standard output.
 */
import { cutText } from "./fitted_text.ts";
import { formatBytes, formatCount, formatSeconds } from "./format.ts";

/** How far the work is. */
export interface ProgressState {
  /** What is being done, such as `copying public.orders`. */
  readonly activity: string;
  /** Rows since the activity began. */
  readonly rows: number;
  /** Rows the activity will have handled at its end, where that is known; it gives bar and ETA. */
  readonly totalRows?: number;
  /** What is counted where it is not rows. */
  readonly unit?: "bytes";
  readonly lagBytes?: number;
  readonly lagSeconds?: number;
}

/** Where progress goes and how. */
export interface ProgressOptions {
  readonly write: (text: string) => void;
  /** One line, rewritten. Default: no. */
  readonly rewrite?: boolean;
  /** Cells per line. Default 80. */
  readonly columns?: () => number;
  /** Clock in milliseconds. */
  readonly now?: () => number;
}

/** What takes over a progress display. */
export interface ProgressTaker {
  update(state: ProgressState): void;
  note(text: string): void;
  /** Gives the terminal back. */
  close(): void;
}

const rewriteEveryMs = 100;
const lineEveryMs = 5_000;
/** The rate is that of the last seconds, so that it shows what happens now. */
const rateWindowMs = 5_000;
const barCells = 20;

interface Sample {
  readonly timeMs: number;
  readonly rows: number;
}

/** A progress display. */
export class Progress {
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
  #taker: ProgressTaker | undefined;

  constructor(options: ProgressOptions) {
    this.#write = options.write;
    this.#rewrite = options.rewrite ?? false;
    this.#columns = options.columns ?? (() => 80);
    this.#now = options.now ?? (() => performance.now());
  }

  /** Has another show what is told here, until the end. */
  handTo(taker: ProgressTaker): void {
    this.end();
    this.#taker = taker;
  }

  /** Says how far the work is; shown when it is time. A new activity is shown at once. */
  update(state: ProgressState): void {
    if (this.#taker !== undefined) return this.#taker.update(state);
    const now = this.#now();
    const changed = state.activity !== this.#last?.activity || state.rows < this.#last.rows;
    if (changed) this.#finishActivity(now);
    this.#samples.push({ timeMs: now, rows: state.rows });
    while (this.#samples.length > 2 && now - (this.#samples[0]?.timeMs ?? now) > rateWindowMs) this.#samples.shift();
    this.#last = state;
    if (changed || now - this.#shownMs >= (this.#rewrite ? rewriteEveryMs : lineEveryMs)) this.#show(state, now);
  }

  /** Prints a line of its own, above the progress line. */
  note(text: string): void {
    if (this.#taker !== undefined) return this.#taker.note(text);
    this.#write(`${this.#open ? "\r\x1b[K" : ""}${text}\n`);
    this.#open = false;
    this.#shownMs = -Infinity;
    if (this.#rewrite) this.#shown = undefined;
  }

  /** Shows the last state once more and leaves the line. What had taken over is closed. */
  end(): void {
    this.#taker?.close();
    this.#taker = undefined;
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
    const line = this.#line(state);
    if (this.#rewrite) this.#write(`\r\x1b[K${cutText(line, this.#columns() - 1)}`);
    // What stands there already says nothing new.
    else if (line !== this.#shownLine) this.#write(`${line}\n`);
    this.#open = this.#rewrite;
    this.#shown = state;
    this.#shownLine = line;
    this.#shownMs = now;
  }

  #line(state: ProgressState): string {
    const rate = this.#rowsPerSecond();
    const parts = [state.activity];
    const amount = (count: number) => state.unit === "bytes" ? formatBytes(count) : `${formatCount(count)} rows`;
    if (state.rows > 0) parts.push(amount(state.rows));
    if (rate !== undefined) parts.push(`${amount(rate)}/s`);
    if (state.lagBytes !== undefined) parts.push(`lag ${formatBytes(state.lagBytes)}`);
    if (state.lagSeconds !== undefined) parts.push(`lag ${formatSeconds(state.lagSeconds)}`);
    const { totalRows } = state;
    if (totalRows !== undefined && totalRows > 0) {
      const share = Math.min(state.rows / totalRows, 1);
      parts.splice(1, 0, `${this.#rewrite ? `${bar(share)} ` : ""}${Math.floor(share * 100)} %`);
      if (rate !== undefined && rate > 0 && share < 1) {
        parts.push(`ETA ${formatSeconds((totalRows - state.rows) / rate)}`);
      }
    }
    return parts.join("  ");
  }

  #rowsPerSecond(): number | undefined {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (first === undefined || last === undefined || last.timeMs === first.timeMs) return undefined;
    return (last.rows - first.rows) * 1000 / (last.timeMs - first.timeMs);
  }
}

function bar(share: number): string {
  const full = Math.round(share * barCells);
  return `${"█".repeat(full)}${"░".repeat(barCells - full)}`;
}
