/** The demo's screen, drawn while a run is under way. */
import { formatSeconds } from "../../../lib/cli/format.ts";
import { painter } from "../../../lib/cli/paint.ts";
import type { Progress, ProgressState } from "../../../lib/cli/progress.ts";
import { Screen, type Terminal } from "../../../lib/cli/screen.ts";
import { demoLines } from "./demo_lines.ts";
import { type DemoFigures, firstFigures } from "./figures.ts";
import type { LakeFigures } from "./lake_watch.ts";

const drawEveryMs = 250;
const rateEveryMs = 1_000;
/** Batches come about one a second: a rate over one second alone would be nothing, then twice as much. */
const rateOverSeconds = 3;
/** As wide as any terminal. */
const mostRates = 1_000;

/** Tells how far a run is until the end, and then leaves what was said meanwhile on the terminal. */
export class DemoView implements Progress {
  readonly #terminal: Terminal;
  readonly #screen: Screen;
  readonly #timers: readonly ReturnType<typeof setInterval>[];
  readonly #startedMs = performance.now();
  /** Rows carried, one value for each second. */
  readonly #seconds: number[] = [];
  #figures: Omit<DemoFigures, "elapsedSeconds">;

  /** @param options.signal Of the user's wish to end. */
  constructor(
    terminal: Terminal,
    { formats, signal }: { readonly formats: readonly string[]; readonly signal: AbortSignal },
  ) {
    this.#terminal = terminal;
    this.#figures = { ...firstFigures, formats };
    signal.addEventListener("abort", () => this.#figures = { ...this.#figures, isStopping: true }, { once: true });
    this.#screen = new Screen(terminal);
    this.#timers = [setInterval(() => this.#draw(), drawEveryMs), setInterval(() => this.#measure(), rateEveryMs)];
    this.#draw();
  }

  update({ activity, rows, totalRows, lagBytes, lagSeconds }: ProgressState): void {
    const share = totalRows === undefined ? "" : ` ${Math.floor(Math.min(rows / totalRows, 1) * 100)} %`;
    const isCarried = totalRows === undefined && rows > 0;
    // A copy is so much faster than the stream that nothing would be seen of this beside it.
    if (activity === "capturing" && this.#figures.activity === "copying") this.#forgetRates();
    // The stream goes on while tables are verified, and says so.
    const isBeside = isCarried && this.#figures.activity.startsWith("verifying");
    this.#figures = {
      ...this.#figures,
      ...isBeside ? {} : { activity: `${activity}${share}` },
      ...isCarried ? { rows } : {},
      ...lagBytes === undefined ? {} : { lagBytes, lagSeconds },
    };
  }

  note(text: string): void {
    this.#figures = { ...this.#figures, notes: [...this.#figures.notes, text] };
    this.#draw();
  }

  /** Takes in what was found in the lake. */
  found(figures: LakeFigures): void {
    this.#figures = { ...this.#figures, ...figures };
  }

  end(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#screen[Symbol.dispose]();
    for (const note of this.#figures.notes) this.#terminal.write(`${note}\n`);
    this.#terminal.write(`ended after ${formatSeconds(this.#elapsedSeconds)}\n`);
  }

  get #elapsedSeconds(): number {
    return (performance.now() - this.#startedMs) / 1000;
  }

  #forgetRates(): void {
    this.#seconds.length = 0;
    this.#figures = { ...this.#figures, rates: [] };
  }

  #measure(): void {
    const { rows, rates } = this.#figures;
    this.#seconds.push(rows);
    const before = this.#seconds.at(-1 - rateOverSeconds) ?? this.#seconds[0]!;
    const seconds = Math.min(rateOverSeconds, this.#seconds.length - 1);
    const rate = seconds === 0 ? 0 : Math.max(rows - before, 0) / seconds;
    this.#figures = { ...this.#figures, rates: [...rates, rate].slice(-mostRates) };
    this.#seconds.splice(0, this.#seconds.length - rateOverSeconds - 1);
  }

  #draw(): void {
    const paint = painter(this.#terminal.isColoured);
    const figures = { ...this.#figures, elapsedSeconds: this.#elapsedSeconds };
    this.#screen.draw(demoLines(figures, { ...this.#terminal.size(), paint }));
  }
}
