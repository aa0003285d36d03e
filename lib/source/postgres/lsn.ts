/**
 * Log sequence numbers: how far PostgreSQL's write-ahead log has been read (PostgreSQL documentation, "pg_lsn Type"), and
 * the positions made of them.
 */
import type { Position } from "../../change/position.ts";
import { WeirError } from "../../errors.ts";

/**
 * Reads an LSN's text form, two hexadecimal numbers of at most 32 bits with a slash between.
 *
 * @throws {RangeError} If the text is not an LSN.
 *
 * @example
 * ```ts
 * import { formatLsn, parseLsn } from "./lsn.ts";
 * import assert from "node:assert/strict";
 *
 * assert.equal(parseLsn("1/A0"), 0x1_000000A0n);
 * assert.equal(formatLsn(0x1_000000A0n), "1/A0");
 * ```
 */
export function parseLsn(text: string): bigint {
  const match = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(text);
  if (match === null) throw new RangeError(`Cannot read "${text}" as a log sequence number`);
  return (BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`);
}

/** An LSN as PostgreSQL prints it. */
export function formatLsn(lsn: bigint): string {
  const hexadecimal = (part: bigint) => part.toString(16).toUpperCase();
  return `${hexadecimal(lsn >> 32n)}/${hexadecimal(lsn & 0xffffffffn)}`;
}

/** One server and one of its histories: a server restored from a backup goes on under another timeline. */
export interface ServerIdentity {
  /** Chosen by initdb, a 64-bit number in decimal. */
  readonly systemId: string;
  readonly timeline: number;
}

/** The `instance` of this server's positions. */
export function instanceOf(server: ServerIdentity): string {
  return `postgres:${server.systemId}/${server.timeline}`;
}

/**
 * A position's LSN.
 *
 * @throws {WeirError} `sourceMismatch` if the position is of another instance.
 */
export function lsnOf(position: Position, instance: string): bigint {
  if (position.instance !== instance) {
    throw new WeirError(
      "sourceMismatch",
      `The recorded position ${position.offset} was read from ${position.instance}, but this server is ${instance}`,
      { detail: { position: position.offset } },
    );
  }
  return parseLsn(position.offset);
}
