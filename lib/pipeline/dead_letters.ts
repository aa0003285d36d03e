/**
 * Dead letters: what could not be carried into the lake, one JSON line each, in a file per table and batch.
 *
 * Promise: a letter is on disk before the table commit that leaves its value out, and a replayed batch writes the same file
 * again, so each letter stands there once.
 */
import type { DeadLetter } from "../change/dead_letter.ts";
import type { Position } from "../change/position.ts";
import type { TransformContext } from "../change/transform.ts";
import type { Storage } from "../storage/storage.ts";
import { WeirError } from "../errors.ts";

/** Limits of {@linkcode DeadLetters}. */
export interface DeadLetterLimits {
  /** Largest share of rows with a letter, 0–1, before the job stops. Default 0.05. */
  readonly share?: number;
  /** Rows that must have been seen before the share counts. Default 1000. */
  readonly afterRows?: number;
}

/** A letter as transforms and folding write it; id and table are added here. */
export type LetterDraft = Parameters<TransformContext["deadLetter"]>[0];

/** Writes letters below a folder of a storage and watches their share. */
export class DeadLetters {
  readonly #storage: Storage;
  readonly #limits: Required<DeadLetterLimits>;
  #letters = 0;
  #rows = 0;

  constructor(storage: Storage, limits: DeadLetterLimits = {}) {
    this.#storage = storage;
    this.#limits = { share: limits.share ?? 0.05, afterRows: limits.afterRows ?? 1000 };
  }

  /** Letters written since the start. */
  get count(): number {
    return this.#letters;
  }

  /**
   * Writes the letters of one table and batch, replacing what an earlier try wrote.
   *
   * @throws {WeirError} `tooManyDeadLetters` when the share is passed; the batch's table commit has not happened then.
   */
  async write(
    drafts: readonly LetterDraft[],
    batch: { readonly table: string; readonly position: Position; readonly rows: number },
  ): Promise<void> {
    if (drafts.length > 0) await this.#put(drafts, batch);
    this.#rows += batch.rows;
    this.#letters += drafts.length;
    if (drafts.length > 0) this.#checkShare(batch.table);
  }

  async #put(
    drafts: readonly LetterDraft[],
    { table, position: { offset } }: { readonly table: string; readonly position: Position },
  ): Promise<void> {
    const lines = drafts.map(({ ordinal, element, ...draft }) => {
      const id = [offset, ordinal, draft.column, element].filter((part) => part !== undefined).join(":");
      return JSON.stringify({ id, table, ...draft } satisfies DeadLetter) + "\n";
    });
    const folder = `dead_letters/${table}`;
    await this.#storage.prepareFolder(folder);
    await this.#storage.put(`${folder}/${offset.replaceAll("/", "-")}.jsonl`, new TextEncoder().encode(lines.join("")));
  }

  #checkShare(table: string): void {
    const { share, afterRows } = this.#limits;
    if (this.#rows < afterRows || this.#letters <= share * this.#rows) return;
    throw new WeirError("tooManyDeadLetters", `More than ${share * 100} % of the rows have a dead letter`, {
      detail: { table, counts: { deadLetters: this.#letters, rows: this.#rows } },
    });
  }
}
