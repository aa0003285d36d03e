/** Does one compaction at a time, of whatever table: memory and cores belong to the batches first. */
import type { Connection } from "../engine/connection.ts";
import { Turns } from "../engine/turns.ts";
import { WeirError } from "../errors.ts";

/** A connection that compactions take turns on. */
export class UpkeepWorker {
  readonly #connection: Connection;
  readonly #turns = new Turns();
  #isStopped = false;
  /** Ends what breaks off the work under way. */
  #underWay: DisposableStack | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Runs work after the one before has ended. Throws `interrupted` once the worker was stopped. */
  async run<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    return await this.#turns.take(() => this.#untilStopped(work));
  }

  /** Breaks off the work under way, and does none any more. */
  stop(): void {
    this.#isStopped = true;
    this.#underWay?.use(this.#connection.keepInterrupting());
  }

  async #untilStopped<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    const stopped = new WeirError("interrupted", "Upkeep was stopped");
    if (this.#isStopped) throw stopped;
    using underWay = new DisposableStack();
    this.#underWay = underWay;
    try {
      return await work(this.#connection);
    } catch (thrown) {
      throw this.#isStopped ? stopped : thrown;
    } finally {
      this.#underWay = undefined;
    }
  }
}
