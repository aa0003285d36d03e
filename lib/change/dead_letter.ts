/** A value or row that could not be carried into the lake, named so that nobody has to look for it. */

/** One dead letter. Its id is position and ordinal (and column), so a replay writes it once. */
export interface DeadLetter {
  /** `<offset>:<ordinal>` or `<offset>:<ordinal>:<column>`. */
  readonly id: string;
  /** Lake table, `namespace.name`. */
  readonly table: string;
  /** The row's key as JSON text, or undefined where it cannot be read. */
  readonly key?: string;
  /** Absent: the whole row is left out of the lake. */
  readonly column?: string;
  readonly reason: string;
}
