/** Even pacing of rows, and waiting that an abort cuts short. */

/** Longest wait between two looks at the clock, so that rows come evenly and not once a second. */
const tickMs = 50;

/** Says how many rows are due. What was late is made up, so that the rate holds over any length of time. */
export class Pace {
  readonly #ratePerMs: number;
  readonly #startMs: number;
  #sent = 0;

  /**
   * @param rate Rows per second.
   * @throws {RangeError} If the rate is not a positive finite number.
   */
  constructor(rate: number) {
    if (!(rate > 0 && Number.isFinite(rate))) {
      throw new RangeError(`Cannot pace at ${rate} rows/s: expected more than 0`);
    }
    this.#ratePerMs = rate / 1000;
    this.#startMs = performance.now();
  }

  /** Waits until at least `rows` are due or the signal is aborted; gives what is due, then below `rows` if aborted. */
  async due(rows: number, signal: AbortSignal | undefined): Promise<number> {
    for (;;) {
      const due = (performance.now() - this.#startMs) * this.#ratePerMs - this.#sent;
      if (due >= rows || signal?.aborted) return Math.floor(due);
      await sleep(Math.max(1, (rows - due) / this.#ratePerMs), signal);
    }
  }

  /** One tick's worth of rows: what is worth waiting for. */
  rowsPerTick(): number {
    return Math.ceil(this.#ratePerMs * tickMs);
  }

  /** Notes rows that were sent. */
  sent(rows: number): void {
    this.#sent += rows;
  }
}

/** Waits, at most until the signal is aborted. */
export function sleep(durationMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const finish = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", finish);
      resolve();
    };
    const timer = setTimeout(finish, durationMs);
    signal?.addEventListener("abort", finish);
  });
}
