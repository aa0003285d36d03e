/**
 * How values stand in a spool file: comma-separated, each quoted, quotes inside doubled, NULL an unquoted nothing, lines
 * ending in `\n`.
 *
 * The quote is U+0001: texts and documents are full of `"`, and to double one and take it out again cost a quarter of the
 * typed reading (payments, 1 KB a row: 8.5 µs against 6.4). The character may stand in a value all the same.
 */

/** Stands before and after each value. */
export const spoolQuote = "\u0001";

/** Options of PostgreSQL's `COPY … TO` that make such a file. */
export const spoolCopyOptions = String.raw`FORMAT csv, FORCE_QUOTE *, QUOTE E'\x01'`;

/** Read at once, at least. DuckDB's own choice is 16 lines, which is more than there is memory where lines are long, and no faster. */
const leastBufferBytes = 8 * 2 ** 20;

/**
 * Options of DuckDB's `read_csv` that read it exactly; columns come beside them. DuckDB 1.5.5 reads quotes wrongly where a line is longer
 * than it was told, or a buffer does not hold more than one. In parallel it guesses where lines begin behind the end of a buffer, and
 * fails on values full of quotes and newlines; one after another costs no more.
 *
 * @param longestLineBytes No line is longer.
 * @param bufferBytes Read at once, at least. Default 8 MiB.
 */
export function spoolCsvOptions(longestLineBytes: number, bufferBytes: number = leastBufferBytes): string {
  const lineBytes = longestLineBytes + 1024;
  return `header = false, auto_detect = false, delim = ',', quote = '${spoolQuote}', escape = '${spoolQuote}', ` +
    String.raw`new_line = '\n', allow_quoted_nulls = false, nullstr = '', parallel = false, ` +
    `max_line_size = ${lineBytes}, buffer_size = ${Math.max(Math.ceil(1.5 * lineBytes), bufferBytes)}`;
}
