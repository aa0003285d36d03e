/** One dataset's part of a batch as a row a key, on its way to the transforms and into the lake. */
import type { LetterDraft } from "../change/dead_letter.ts";
import type { DatasetChanges } from "../change/micro_batch.ts";
import type { Position } from "../change/position.ts";
import type { Relation } from "../change/relation.ts";
import type { Sink } from "../change/sink.ts";
import type { SchemaChange } from "../dataset/schema_change.ts";
import type { Scratch } from "../engine/scratch.ts";

/** Where a batch ends. */
export interface BatchEnd {
  /** Absent for a copy, which has no beginning. */
  readonly after?: Position;
  readonly to: Position;
  readonly commitTimeMs: number;
}

/** What {@linkcode FoldedChanges} holds. */
export interface FoldedParts {
  readonly changes: DatasetChanges;
  readonly schemaChanges: readonly SchemaChange[];
  readonly end: BatchEnd;
  readonly folded: Relation;
  readonly scratch: Scratch;
  /** Refused on the way; transforms add theirs. */
  readonly drafts: readonly LetterDraft[];
  /** Sinks that have not taken the batch. */
  readonly wants: (sink: Sink) => boolean;
  /** Resolves when the dataset's changes of the batch before are in the lake, or will not come there. */
  readonly before: Promise<void>;
}

/** Folded changes. Disposing drops the relations of the batch. */
export class FoldedChanges implements AsyncDisposable {
  readonly parts: FoldedParts;
  readonly #settled = Promise.withResolvers<void>();

  constructor(parts: FoldedParts) {
    this.parts = parts;
  }

  /** Resolves when the changes are in the lake, or will not come there. */
  get settled(): Promise<void> {
    return this.#settled.promise;
  }

  /** Takes note that the changes are in the lake. */
  settle(): void {
    this.#settled.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.settle();
    await this.parts.scratch[Symbol.asyncDispose]();
  }
}
