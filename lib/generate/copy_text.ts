/**
 * Rows in the text format of PostgreSQL's `COPY … FROM STDIN`: tabs between values, `\N` for NULL, one line a row
 * (PostgreSQL documentation, COPY, File Formats, Text Format).
 */
import { Buffer } from "node:buffer";
import type { RowValue, SourceRow } from "../domain/payments/rows.ts";

/** Characters that mean something to COPY. */
const special = /[\\\t\n\r]/;
const escapes: Readonly<Record<string, string>> = { "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r" };

/**
 * One line, with its end.
 *
 * @throws {RangeError} If a column is missing in the row.
 *
 * @example
 * ```ts
 * import { copyLine } from "./copy_text.ts";
 * import assert from "node:assert/strict";
 *
 * assert.equal(copyLine(["_id", "name", "note"], { _id: 1n, name: "a\tb", note: null }), "1\ta\\tb\t\\N\n");
 * ```
 */
export function copyLine(columns: readonly string[], row: SourceRow): string {
  let line = "";
  for (let i = 0; i < columns.length; i++) {
    const name = columns[i] as string;
    const value = row[name];
    if (value === undefined) throw new RangeError(`Cannot write a row without the column "${name}"`);
    line += i === 0 ? copyValue(value) : `\t${copyValue(value)}`;
  }
  return `${line}\n`;
}

/** Characters per chunk: few and large writes to the socket, and little memory. */
const chunkCharacters = 65_536;

/** `count` pieces of text as chunks of bytes, each piece made when its chunk is asked for. */
export function* copyChunks(count: number, piece: () => string): Generator<Buffer> {
  let text = "";
  for (let i = 0; i < count; i++) {
    text += piece();
    if (text.length < chunkCharacters) continue;
    yield Buffer.from(text);
    text = "";
  }
  if (text !== "") yield Buffer.from(text);
}

function copyValue(value: RowValue): string {
  if (value === null) return "\\N";
  if (typeof value !== "string") return String(value);
  return special.test(value) ? value.replace(/[\\\t\n\r]/g, (character) => escapes[character] as string) : value;
}
