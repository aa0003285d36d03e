/**
 * How far a source has been read. A position names the source instance too, so that one of another server, or of a
 * server restored from a backup, is refused instead of believed.
 */

/** A position: for PostgreSQL the LSN at the end of a source commit. Ordered only by its source (see `Source.compare`). */
export interface Position {
  /** Source instance, e.g. `postgres:7412345678901234567/1` (system identifier and timeline). */
  readonly instance: string;
  /** Progress inside the instance, e.g. `0/16B3748`. */
  readonly offset: string;
}

/** A position as one line of text, the form kept inside table commits. */
export function formatPosition(position: Position): string {
  return `${position.instance}@${position.offset}`;
}

/**
 * Reads what {@linkcode formatPosition} wrote.
 *
 * @throws {RangeError} If the text is not a position.
 *
 * @example
 * ```ts
 * import { formatPosition, parsePosition } from "./position.ts";
 * import assert from "node:assert/strict";
 *
 * const position = { instance: "postgres:7412/1", offset: "0/16B3748" };
 * assert.deepEqual(parsePosition(formatPosition(position)), position);
 * ```
 */
export function parsePosition(text: string): Position {
  const at = text.lastIndexOf("@");
  if (at < 1 || at === text.length - 1) {
    throw new RangeError(`Cannot read "${text}" as a position: expected instance@offset`);
  }
  return { instance: text.slice(0, at), offset: text.slice(at + 1) };
}
