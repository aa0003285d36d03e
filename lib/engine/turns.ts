/** Work that must not overlap, one after another in the order in which it was asked for. */

/** A queue. Work must not ask its own queue for more, for that would wait for the work's own end. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs work once all that was asked for before has ended, well or not, and gives what it gives. */
  async take<T>(work: () => T | Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return await done;
  }
}
