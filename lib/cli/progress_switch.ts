/** What a job tells, told by one display and, while a job draws on the terminal, by another. */
import type { Progress, ProgressState } from "./progress.ts";

/**
 * Hands on to the display that it was made with, or to the one that has taken over.
 *
 * @example
 * ```ts
 * import { ProgressSwitch } from "./progress_switch.ts";
 * import assert from "node:assert/strict";
 *
 * const told: string[] = [];
 * const display = (name: string) => ({
 *   update: () => {},
 *   note: (text: string) => void told.push(`${name}: ${text}`),
 *   end: () => void told.push(`${name} ended`),
 * });
 * const progress = new ProgressSwitch(display("line"));
 * progress.handTo(display("screen"));
 * progress.note("one");
 * progress.end();
 * progress.note("two");
 * assert.deepEqual(told, ["line ended", "screen: one", "screen ended", "line: two"]);
 * ```
 */
export class ProgressSwitch implements Progress {
  readonly #usual: Progress;
  #taken: Progress | undefined;

  constructor(usual: Progress) {
    this.#usual = usual;
  }

  /** Has another display tell what is told from here to the end, at which that is ended too. */
  handTo(other: Progress): void {
    this.end();
    this.#taken = other;
  }

  update(state: ProgressState): void {
    (this.#taken ?? this.#usual).update(state);
  }

  note(text: string): void {
    (this.#taken ?? this.#usual).note(text);
  }

  end(): void {
    (this.#taken ?? this.#usual).end();
    this.#taken = undefined;
  }
}
