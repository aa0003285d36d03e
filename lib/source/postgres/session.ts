/**
 * How every session of ours prints values, whatever the server's, database's or role's defaults are: the stream, the
 * initial copy and the verification must spell a value alike.
 */

const settings: Readonly<Record<string, string>> = {
  client_encoding: "UTF8",
  TimeZone: "UTC",
  DateStyle: "ISO, YMD",
  IntervalStyle: "postgres",
  // 1 and above: shortest text that reads back as the same double (PostgreSQL 12 and later).
  extra_float_digits: "1",
  bytea_output: "hex",
  // money prints with the currency of this locale; the C locale is on every machine.
  lc_monetary: "C",
  // Names inside values (regclass, regproc …) print qualified, and no object of a user's schema is called by mistake.
  search_path: "",
  standard_conforming_strings: "on",
  // A query that row security would thin out fails instead of copying fewer rows.
  row_security: "off",
  statement_timeout: "0",
  lock_timeout: "0",
  idle_in_transaction_session_timeout: "0",
};

/** The statements that settle a session. */
export function sessionSettings(): readonly string[] {
  return Object.entries(settings).map(([name, value]) => `SET ${name} = '${value}'`);
}
