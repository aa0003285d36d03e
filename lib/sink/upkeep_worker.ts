/** Does one compaction at a time, of whatever table: memory and cores belong to the batches first. */
import type { Connection } from "../engine/connection.ts";

/** A connection that compactions take turns on. */
export class UpkeepWorker {
  readonly #connection: Connection;
  #last: Promise<unknown> = Promise.resolve();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Runs work after the one before has ended. */
  async run<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    const done = this.#last.then(() => work(this.#connection));
    this.#last = done.catch(() => {});
    return await done;
  }
}
