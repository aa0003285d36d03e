/** A value or row that could not be carried into the lake, named so that nobody has to look for it. */

/** One dead letter. Its id says where in the stream the value stood, so a replay writes it once. */
export interface DeadLetter {
  /** `<offset>:<ordinal>`, `:<column>` where only a value is refused, `:<element>` where it stood in an array. */
  readonly id: string;
  /** Lake table, `namespace.name`. */
  readonly table: string;
  /** The row's key as JSON text, or undefined where it cannot be read. */
  readonly key?: string;
  /** Absent: the whole row is left out of the lake. */
  readonly column?: string;
  readonly reason: string;
}

/** A letter as whoever refuses a value hands it over. The pipeline adds table and id, so that no two of a batch are alike. */
export interface LetterDraft extends Omit<DeadLetter, "id" | "table"> {
  /** Place of the row in its batch, or in its part of an initial copy. */
  readonly ordinal: bigint;
  /** Set where one row gives several rows (child tables), which share ordinal and column names. */
  readonly element?: number;
}
