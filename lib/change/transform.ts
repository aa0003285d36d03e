/** The transform contract: relation in, relation out, for one lake table. */
import type { TableDefinition } from "../dataset/dataset.ts";
import type { Connection } from "../engine/connection.ts";
import type { LetterDraft } from "./dead_letter.ts";
import type { Relation } from "./relation.ts";

/** What a transform may use while it works. */
export interface TransformContext {
  readonly connection: Connection;
  /** Makes a table name that no other batch uses; the pipeline drops it with the batch. */
  readonly temporaryName: (purpose: string) => string;
  /** Makes the path of a file that the engine may read, and that is removed with the batch. */
  readonly temporaryFile: (purpose: string) => string;
  /**
   * The lake's rows as of the batch's start whose key is in the relation: a SELECT giving the key and the columns.
   * Undefined while the table does not exist.
   */
  readonly currentRows: (keys: Relation, columns: readonly string[]) => Promise<string | undefined>;
  /** Letters are written once, before the table commit. */
  readonly deadLetter: (letter: LetterDraft) => void;
  readonly signal: AbortSignal;
}

/**
 * One step between a source table and a lake table.
 *
 * Promise: `define` is pure and names exactly the columns that `apply` gives; `apply` keeps `_ordinal`, `_delete` and
 * `_replaces`, and counts the rows of its relation; rows it cannot read become dead letters, never an error that stops the
 * stream.
 */
export interface Transform {
  readonly name: string;
  define(input: TableDefinition): TableDefinition;
  apply(input: Relation, context: TransformContext): Promise<Relation>;
}
