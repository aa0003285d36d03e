/** DuckDB's text of dates and timestamps as numbers since 1970-01-01 in UTC (Iceberg spec, "Binary single-value serialization"). */

const datePattern = /^(\d{4})-(\d\d)-(\d\d)$/;
const timestampPattern = /^(\d{4}-\d\d-\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?(?:\+00)?$/;
const millisecondsPerDay = 86_400_000;

/** Days since 1970-01-01. Undefined for years outside 0001–9999, `infinity` and anything else that is no plain date. */
export function daysOf(text: string): number | undefined {
  const match = datePattern.exec(text);
  if (match === null) return undefined;
  const date = new Date(0);
  // Date.UTC would read the years 0 to 99 as 1900 to 1999.
  date.setUTCFullYear(Number(match[1]), Number(match[2]) - 1, Number(match[3]));
  return date.getTime() / millisecondsPerDay;
}

/** Microseconds since 1970-01-01 00:00 UTC. Undefined where {@linkcode daysOf} would be. */
export function microsecondsOf(text: string): bigint | undefined {
  const match = timestampPattern.exec(text);
  const days = match === null ? undefined : daysOf(match[1]!);
  if (match === null || days === undefined) return undefined;
  const seconds = days * 86_400 + Number(match[2]) * 3600 + Number(match[3]) * 60 + Number(match[4]);
  return BigInt(seconds) * 1_000_000n + BigInt((match[5] ?? "").padEnd(6, "0"));
}

/** A day as ISO date, for folder names. */
export function dateText(days: number): string {
  return new Date(days * millisecondsPerDay).toISOString().slice(0, 10);
}
