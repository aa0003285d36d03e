/**
 * What stands for a vector in an index: the hash of the text that it is of. Rows of one text share one vector, and so one label;
 * which rows those are is asked of the table itself, so that an index can never show a row that is gone.
 */
import { literal } from "../../engine/quote.ts";

/** The label of a row, as SQL: NULL where the row has no text hash that Weir could have written. */
export const labelSql = "TRY_CAST('0x' || embedding_text_hash AS UBIGINT)";
/** Name of the label beside a table's columns; no lake column is called so. */
export const labelColumn = "_weir_label";

/**
 * The text hash of a label.
 *
 * @example
 * ```ts
 * import { textHash } from "./text_label.ts";
 * import assert from "node:assert/strict";
 *
 * assert.equal(textHash(0xfen), "00000000000000fe");
 * ```
 */
export function textHash(label: bigint): string {
  return label.toString(16).padStart(16, "0");
}

/** Whether a row's text is one of these, as SQL. */
export function textIsOneOf(labels: Iterable<bigint>): string {
  const hashes = [...new Set(labels)].map((label) => literal(textHash(label)));
  return hashes.length === 0 ? "FALSE" : `embedding_text_hash IN (${hashes.join(", ")})`;
}
