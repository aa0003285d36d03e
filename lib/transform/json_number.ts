/**
 * Exact numbers out of JSON. DuckDB's JSON functions keep integers but read every other number as a double and print that
 * (12345678901234567.89 becomes 12345678901234568.0, 1.50 becomes 1.5), so where it matters the number's own text is
 * put in quotes before the document is read.
 */
import { literal } from "../engine/quote.ts";

/** Between the value before and a number in a document. */
const beforeNumber = String.raw`(?:^|[:,\[])\s*`;

/** A number of 16 digits or more; up to 15 digits survive a double unchanged (IEEE 754, DBL_DIG). */
const longNumber = `${beforeNumber}-?[0-9.]{16,}`;

/** A number whose text a double may change, however short: it has a fraction or an exponent. */
const fractionalNumber = `${beforeNumber}-?[0-9]+[.eE]`;

/** A string as a whole, so that digits inside it are never touched, or a number (RFC 8259, sections 6 and 7). */
const stringOrNumber = String.raw`("(?:[^"\\]|\\.)*")|(-?[0-9][0-9.eE+-]*)`;

/** Condition: a number of the document may lose digits as a double. May hold for text inside a string; never misses a number. */
export function holdsLongNumberSql(document: string): string {
  return `regexp_matches(${document}, ${literal(longNumber)})`;
}

/** Condition: a number of the document may change its spelling as a double. */
export function holdsFractionSql(document: string): string {
  return `regexp_matches(${document}, ${literal(fractionalNumber)})`;
}

/**
 * Condition: one of the other two may hold. They cost 0.5 µs each for a document of 200 bytes; so does this, and rules both out
 * for most.
 */
export function holdsDoubtfulNumberSql(document: string): string {
  return `regexp_matches(${document}, ${literal(`${beforeNumber}-?(?:[0-9.]{16,}|[0-9]+[.eE])`)})`;
}

/** Condition: an extracted text looks like a number with a fraction or an exponent. */
export function looksFractionalSql(text: string): string {
  return `regexp_matches(${text}, '^-?[0-9]+[.eE]')`;
}

/**
 * The valid document with every number in quotes, spelled as it was.
 *
 * Each match is put between two U+0001, strings by way of an empty second group: valid JSON holds no raw control character
 * (RFC 8259, section 7), so the marks are unmistakable afterwards.
 */
export function quoteNumbersSql(document: string): string {
  const marked = `regexp_replace(${document}, ${literal(stringOrNumber)}, '\\1' || chr(1) || '\\2' || chr(1), 'g')`;
  return `replace(replace(${marked}, chr(1) || chr(1), ''), chr(1), '"')`;
}
