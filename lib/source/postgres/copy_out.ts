/** `COPY … TO STDOUT` through `npm:pg`, row by row as bytes. */
import type { WireConnection } from "./connection.ts";

interface CopyOutOptions {
  readonly onRow: (row: Uint8Array) => Promise<void> | undefined;
  readonly wire: WireConnection;
}

/** A query object as `pg.Client` runs them (its `Submittable`). */
export class CopyOut {
  /** Settles when the server is ready again and every promise that `onRow` gave has settled; rejects with the first failure. */
  readonly done: Promise<void>;
  readonly #statement: string;
  readonly #options: CopyOutOptions;
  readonly #settle: { resolve: () => void; reject: (reason: unknown) => void };
  readonly #pending = new Set<Promise<void>>();
  #failure: unknown;

  constructor(statement: string, options: CopyOutOptions) {
    this.#statement = statement;
    this.#options = options;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.done = promise;
    this.#settle = { resolve, reject };
  }

  /** Called by the client when it is this query's turn. */
  submit(wire: unknown): void {
    (wire as WireConnection).query(this.#statement);
  }

  /** Called for every row: the server sends a message a row. */
  handleCopyData(message: { readonly chunk: Uint8Array }): void {
    if (this.#failure !== undefined) return;
    try {
      const pending = this.#options.onRow(message.chunk);
      if (pending !== undefined) this.#pauseUntil(pending);
    } catch (thrown) {
      this.#failure = thrown;
    }
  }

  /** Called after the last row. */
  handleCommandComplete(): void {}

  /** Called where the statement gives rows in the ordinary way, which a COPY does not. */
  handleRowDescription(): void {}

  /** As above. */
  handleDataRow(): void {}

  /** Called for an error of the server or of the socket; the latter is not followed by anything. */
  handleError(thrown: unknown): void {
    this.#failure ??= thrown;
    void this.#end();
  }

  /** Called when the server is ready for the next query. */
  handleReadyForQuery(): void {
    void this.#end();
  }

  #pauseUntil(pending: Promise<void>): void {
    const { stream } = this.#options.wire;
    if (this.#pending.size === 0) stream.pause();
    const watched = pending.catch((thrown) => {
      this.#failure ??= thrown;
    }).finally(() => {
      this.#pending.delete(watched);
      if (this.#pending.size === 0) stream.resume();
    });
    this.#pending.add(watched);
  }

  /** The last rows stand in the same network packet as the end: what `onRow` began with them is still running. */
  async #end(): Promise<void> {
    await Promise.all(this.#pending);
    if (this.#failure === undefined) this.#settle.resolve();
    else this.#settle.reject(this.#failure);
  }
}
