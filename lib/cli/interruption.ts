/** Ctrl-C, SIGTERM and a terminal that is closed: the first asks for a clean stop, the second ends the process at once. */
import { WeirError } from "../errors.ts";

const exitCodes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** One Ctrl-C often reaches a job twice, from the terminal and from `deno task`, which hands it on: so soon after the first it is no second. */
const echoMs = 250;

/** A job without a terminal of its own goes on when one is closed, as who started it with `nohup` wishes: Deno by itself would end it. */
const isAttended = [Deno.stdin, Deno.stdout, Deno.stderr].some((stream) => stream.isTerminal());

/** Listens from now until disposed. */
export class Interruption implements Disposable {
  readonly #controller = new AbortController();
  readonly #hangUp = new AbortController();
  readonly #listeners: [Deno.Signal, () => void][] = [];
  #first: { readonly signal: keyof typeof exitCodes; readonly timeMs: number } | undefined;

  /**
   * @param say prints one line for the user
   * @param finished what is done before the end, such as `after the running commit`
   */
  constructor(say: (text: string) => void, finished: string) {
    for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"] as const) {
      const listener = () => this.#receive(signal, () => say(`stopping ${finished}; once more stops at once`));
      this.#listeners.push([signal, listener]);
      Deno.addSignalListener(signal, listener);
    }
  }

  /** Aborts on the first signal, with a WeirError of kind `interrupted` as its reason. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Aborts, before {@linkcode signal} does, when the terminal is closed. */
  get hangUp(): AbortSignal {
    return this.#hangUp.signal;
  }

  /** 128 plus the signal's number, as shells have it; undefined while there was none. */
  get exitCode(): number | undefined {
    return this.#first && exitCodes[this.#first.signal];
  }

  [Symbol.dispose](): void {
    for (const [signal, listener] of this.#listeners) Deno.removeSignalListener(signal, listener);
  }

  #receive(signal: keyof typeof exitCodes, say: () => void): void {
    if (signal === "SIGHUP" && !isAttended) return;
    const timeMs = performance.now();
    if (this.#first?.signal === signal && timeMs - this.#first.timeMs < echoMs) return;
    if (this.#first !== undefined) Deno.exit(exitCodes[signal]);
    this.#first = { signal, timeMs };
    const reason = new WeirError("interrupted", `stopped by ${signal}`);
    if (signal === "SIGHUP") this.#hangUp.abort(reason);
    say();
    this.#controller.abort(reason);
  }
}
