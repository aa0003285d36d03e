/** A queue between readers and one taker that holds few items: a reader that is ahead waits. */

/** The queue. */
export class PartQueue<T> {
  readonly #capacity: number;
  readonly #discard: (item: T) => Promise<void>;
  readonly #items: T[] = [];
  #changed = Promise.withResolvers<void>();
  #ended = false;
  #failure: unknown;
  #puts = 0;

  /** `discard` removes an item that nobody will take. */
  constructor(capacity: number, discard: (item: T) => Promise<void>) {
    this.#capacity = capacity;
    this.#discard = discard;
  }

  /** Whether nothing was ever put in. */
  get isUntouched(): boolean {
    return this.#puts === 0;
  }

  get #isFailed(): boolean {
    return this.#failure !== undefined;
  }

  /** Puts an item in, and waits while the queue is full. */
  async put(item: T): Promise<void> {
    this.#puts++;
    if (this.#ended || this.#isFailed) return await this.#discard(item);
    this.#items.push(item);
    this.#wake();
    while (this.#items.length > this.#capacity && !this.#ended && !this.#isFailed) await this.#changed.promise;
  }

  /** Takes the next item; undefined after the last one. Throws what a reader failed with. */
  async take(): Promise<T | undefined> {
    while (true) {
      if (this.#isFailed) throw this.#failure;
      const item = this.#items.shift();
      if (item !== undefined || this.#ended) {
        this.#wake();
        return item;
      }
      await this.#changed.promise;
    }
  }

  /** Nothing more will be put in. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** A reader failed: the taker fails too. */
  fail(thrown: unknown): void {
    this.#failure ??= thrown;
    this.#wake();
  }

  /** The taker is gone; what stands in the queue is removed. */
  async close(): Promise<void> {
    this.end();
    for (const item of this.#items.splice(0)) await this.#discard(item);
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
