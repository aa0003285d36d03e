/** Quoting for SQL text, the same in DuckDB and PostgreSQL. */

/**
 * An identifier, quoted.
 *
 * @example
 * ```ts
 * import { identifier } from "./quote.ts";
 * import assert from "node:assert/strict";
 *
 * assert.equal(identifier('a"b'), '"a""b"');
 * ```
 */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/**
 * A string literal. PostgreSQL reads it so only with `standard_conforming_strings` on, its default.
 *
 * @throws {RangeError} If the text holds a NUL character, which neither database can store in text.
 */
export function literal(text: string): string {
  if (text.includes("\0")) throw new RangeError("Cannot quote a text that holds a NUL character");
  return `'${text.replaceAll("'", "''")}'`;
}
