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

/**
 * Options of DuckDB's `read_csv` that read it exactly; sizes and columns come beside them. In parallel it guesses where lines begin
 * behind the end of a buffer, and fails on values full of quotes and newlines (1.5.5); one after another costs no more.
 */
export const spoolCsvOptions = `header = false, auto_detect = false, delim = ',', quote = '${spoolQuote}', ` +
  String.raw`escape = '${spoolQuote}', new_line = '\n', allow_quoted_nulls = false, nullstr = '', parallel = false`;
