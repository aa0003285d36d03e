/**
 * One dataset's part of a batch after the transforms: what its lake tables commit, and the dead letters found on the way.
 *
 * Promise: dead letters first, then child tables, then the main table. So a crash anywhere leaves the main table at the
 * batch's start whenever any table of its format is, and a replay finds the values that the source did not send again.
 */
import type { LetterDraft } from "../change/dead_letter.ts";
import type { Position } from "../change/position.ts";
import type { Relation } from "../change/relation.ts";
import type { Sink, TableChange } from "../change/sink.ts";
import { failPoint } from "../fail_point.ts";
import type { DeadLetters } from "./dead_letters.ts";
import type { TablePlan } from "./plan.ts";
import type { FoldedChanges } from "./folded_changes.ts";
import { sharingRows } from "./sharing_rows.ts";

/** Letters of one dataset and batch. */
export interface BatchLetters {
  readonly deadLetters: DeadLetters;
  readonly drafts: readonly LetterDraft[];
  /** Dataset they are filed under. */
  readonly table: string;
  readonly position: Position;
  /** Rows of which these are the refused ones. */
  readonly rows: number;
}

/** What {@linkcode TransformedChanges} holds. */
export interface TransformedParts {
  /** What it was made of; it owns the relations. */
  readonly folded: FoldedChanges;
  readonly letters: BatchLetters;
  /** In commit order. */
  readonly tables: readonly { readonly sinks: readonly Sink[]; readonly change: TableChange }[];
}

/** Changes ready to be committed. */
export class TransformedChanges {
  readonly #parts: TransformedParts;
  #hasLetters = false;

  constructor(parts: TransformedParts) {
    this.#parts = parts;
  }

  /** Of the dataset. */
  get rows(): number {
    return this.#parts.letters.rows;
  }

  /** Whether a key column of a table becomes wider with them. */
  get widensKey(): boolean {
    return this.#parts.tables.some(({ change: { schemaChanges, definition } }) =>
      schemaChanges.some((change) => change.kind === "widenColumn" && definition.key.includes(change.name))
    );
  }

  /** Commits to every sink for which `wants` is true; may be called again after an error, with the sinks that are left. */
  async commit(wants: (sink: Sink) => boolean): Promise<void> {
    if (!this.#hasLetters) await writeLetters(this.#parts.letters);
    this.#hasLetters = true;
    for (const { sinks, change } of this.#parts.tables) {
      await sharingRows(sinks.filter(wants), async (sink, shared) => {
        await sink.commit({ ...change, shared });
        await failPoint("pipeline.afterTableCommit");
      });
    }
    this.#parts.folded.settle();
  }
}

/** A part of an initial copy after the transforms. Disposing drops the relations. */
export interface CopiedRows extends AsyncDisposable {
  readonly tables: readonly { readonly plan: TablePlan; readonly relation: Relation }[];
  readonly letters: BatchLetters;
}

/** Writes a batch's letters; none for none. */
export async function writeLetters({ deadLetters, drafts, ...batch }: BatchLetters): Promise<void> {
  await deadLetters.write(drafts, batch);
  if (drafts.length > 0) await failPoint("pipeline.afterDeadLetters");
}
