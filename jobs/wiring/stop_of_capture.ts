/** When a capture stops that may have to verify its tables first. */

/** See {@linkcode StopOfCapture.signal}. */
export class StopOfCapture {
  readonly #controller = new AbortController();
  /** Whether the copies are over, so that there is something to verify. */
  isStreaming = false;

  /**
   * @param options.asked Of the wish to end.
   * @param options.atOnce Of the wish to end without a verification.
   */
  constructor({ asked, atOnce }: { readonly asked: AbortSignal; readonly atOnce: AbortSignal }) {
    whenAborted(atOnce, () => this.#controller.abort(atOnce.reason));
    whenAborted(asked, () => {
      if (!this.isStreaming) this.#controller.abort(asked.reason);
    });
  }

  /** Aborts when it stops: at once, or, where it streams, not before it is asked for that. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }
}

function whenAborted(signal: AbortSignal, act: () => void): void {
  if (signal.aborted) act();
  else signal.addEventListener("abort", act, { once: true });
}
