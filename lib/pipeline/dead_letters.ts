/**
 * Dead letters: what could not be carried into the lake, one JSON line each, in a file per table and batch.
 *
 * Promise: a letter is on disk before the table commit that leaves its value out, and stands there once: letters of batches
 * that are read again are removed before, for the batches may end elsewhere this time.
 */
import type { DeadLetter, LetterDraft } from "../change/dead_letter.ts";
import type { Position } from "../change/position.ts";
import type { Storage } from "../storage/storage.ts";
import { WeirError } from "../errors.ts";

/** Limits of {@linkcode DeadLetters}. */
export interface DeadLetterLimits {
  /** Largest share of rows with a letter, 0–1, before the job stops. Default 0.05. */
  readonly share?: number;
  /** Rows that must have been seen before the share counts. Default 1000. */
  readonly afterRows?: number;
}

/** What stands for the offset of a part of an initial copy. */
export function copyPartOffset(offset: string, part: number): string {
  return `${offset}-copy-${part}`;
}

const copyOffset = /-copy-\d+$/;

function folderOf(table: string): string {
  return `dead_letters/${table}`;
}

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
    const path = `${folderOf(table)}/${encodeURIComponent(offset)}.jsonl`;
    const bytes = new TextEncoder().encode(lines.join(""));
    if (await this.#storage.putIfAbsent(path, bytes)) return;
    await this.#storage.delete(path);
    await this.#storage.putIfAbsent(path, bytes);
  }

  /** Removes the letters of a table's batches that ended at an offset for which `isAfter` is true. */
  async removeAfter(table: string, isAfter: (offset: string) => boolean): Promise<void> {
    await this.#remove(table, (offset) => !copyOffset.test(offset) && isAfter(offset));
  }

  /** Removes the letters of a table's initial copies. */
  async removeCopied(table: string): Promise<void> {
    await this.#remove(table, (offset) => copyOffset.test(offset));
  }

  async #remove(table: string, matches: (offset: string) => boolean): Promise<void> {
    const folder = folderOf(table);
    for await (const { path } of this.#storage.list(folder)) {
      const offset = decodeURIComponent(path.slice(folder.length + 1).replace(/\.jsonl$/, ""));
      if (matches(offset)) await this.#storage.delete(path);
    }
  }

  #checkShare(table: string): void {
    const { share, afterRows } = this.#limits;
    if (this.#rows < afterRows || this.#letters <= share * this.#rows) return;
    throw new WeirError("tooManyDeadLetters", `More than ${share * 100} % of the rows have a dead letter`, {
      detail: { table, counts: { deadLetters: this.#letters, rows: this.#rows } },
    });
  }
}
