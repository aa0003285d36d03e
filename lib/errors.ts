/**
 * The one run-time error type, its closed list of kinds, and what each kind means for retry and advice.
 *
 * Promise: message and detail name table, position and counts only; a row value or a secret never enters them.
 * Misuse by a programmer throws `TypeError` or `RangeError` instead.
 */

/** Every way a run can fail that a caller may want to tell apart. */
export type ErrorKind =
  | "configuration"
  | "precondition"
  | "connection"
  | "authentication"
  | "sourceLost"
  | "sourceMismatch"
  | "fenced"
  | "conflict"
  | "storage"
  | "storageFull"
  | "tableUnreadable"
  | "unsupportedSchemaChange"
  | "tooManyDeadLetters"
  | "portTaken"
  | "interrupted"
  | "internal";

/** What may be said about where an error happened: no row values, no secrets. */
export interface ErrorDetail {
  readonly table?: string;
  readonly position?: string;
  readonly path?: string;
  readonly statement?: string;
  readonly counts?: Readonly<Record<string, number>>;
}

/** Options of {@linkcode WeirError}. */
export interface WeirErrorOptions {
  /** What may be said about the place. */
  readonly detail?: ErrorDetail;
  /** The error underneath, kept for the log at debug level. */
  readonly cause?: unknown;
  /** Replaces the kind's general advice where a better sentence is known. */
  readonly advice?: string;
}

/**
 * The one run-time error.
 *
 * @example
 * ```ts
 * import { WeirError } from "./errors.ts";
 * import assert from "node:assert/strict";
 *
 * const error = new WeirError("fenced", "Another instance writes to data/lake");
 * assert.match(String(error.stack), /^WeirError: Another instance writes to data\/lake\n {2}what to do: Stop the other/);
 * ```
 */
export class WeirError extends Error {
  override readonly name = "WeirError";
  readonly kind: ErrorKind;
  readonly detail: ErrorDetail;
  readonly advice: string;

  constructor(kind: ErrorKind, message: string, options: WeirErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.detail = options.detail ?? {};
    this.advice = options.advice ?? errorPolicy(kind).advice;
    // A notebook shows the stack and nothing else of an error.
    this.stack = String(this.stack).replace(message, (text) => `${text}\n  what to do: ${this.advice}`);
  }
}

/** How a kind is treated: `timed` is retried with back-off, `manual` after somebody acted, `never` not at all. */
export interface ErrorPolicy {
  readonly retry: "timed" | "manual" | "never";
  readonly advice: string;
}

const policies: Readonly<Record<ErrorKind, ErrorPolicy>> = {
  configuration: { retry: "manual", advice: "Correct the setting; run with --help to see every flag and its default" },
  precondition: { retry: "manual", advice: "Put right what is named above, each as its line says, then start again" },
  connection: { retry: "timed", advice: "Check that the server is up and reachable from here" },
  authentication: { retry: "manual", advice: "Check the user name and password in POSTGRES_URL" },
  sourceLost: {
    retry: "manual",
    advice: "Changes are missing at the source; start over with --resync to copy the tables again",
  },
  sourceMismatch: {
    retry: "manual",
    advice: "Set POSTGRES_URL to the server this lake was filled from, or start over with --resync or another --lake",
  },
  fenced: { retry: "manual", advice: "Stop the other instance that writes to this lake, or use another --lake" },
  conflict: { retry: "timed", advice: "Start again once nothing else changes what is named above" },
  storage: { retry: "timed", advice: "Check that what is named above exists and that this user may read and write it" },
  storageFull: { retry: "manual", advice: "Free disk space and start again; nothing was lost" },
  tableUnreadable: {
    retry: "manual",
    advice: "Restore the file named above; or remove the table's folder and start again: the table is then copied anew",
  },
  // A copy goes into the table as it is, so --resync would meet the same.
  unsupportedSchemaChange: {
    retry: "manual",
    advice: "Remove the table's folders from the lake (iceberg/NAMESPACE/TABLE, paimon/NAMESPACE.db/TABLE) and start " +
      "again: the table is then copied anew",
  },
  tooManyDeadLetters: {
    retry: "manual",
    advice: "Look at the dead letters; repair the source rows or raise --dead-letter-share",
  },
  portTaken: {
    retry: "manual",
    advice: "Choose another port with --postgres-port, or stop the program that listens on it",
  },
  interrupted: { retry: "never", advice: "Start again to go on from the committed position" },
  internal: {
    retry: "never",
    advice: "This is a defect; please report it with the message and the steps that led here",
  },
};

/**
 * Retry policy and one sentence of advice of a kind.
 *
 * @example
 * ```ts
 * import { errorPolicy } from "./errors.ts";
 * import assert from "node:assert/strict";
 *
 * assert.equal(errorPolicy("connection").retry, "timed");
 * ```
 */
export function errorPolicy(kind: ErrorKind): ErrorPolicy {
  return policies[kind];
}

/** Wraps anything thrown into a {@linkcode WeirError}; one that is already of this type passes unchanged. */
export function toWeirError(thrown: unknown, kind: ErrorKind = "internal", detail: ErrorDetail = {}): WeirError {
  if (thrown instanceof WeirError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new WeirError(kind, message, { cause: thrown, detail });
}

/**
 * An error of the file system as ours: a full disk is told apart, because only a person can mend it.
 *
 * @example
 * ```ts
 * import { storageError } from "./errors.ts";
 * import assert from "node:assert/strict";
 *
 * const thrown = await Deno.readTextFile("data/absent").catch((thrown) => storageError(thrown, "data"));
 * assert.equal(String(thrown), "WeirError: No such file or directory: 'data/absent'");
 * ```
 */
export function storageError(thrown: unknown, path: string): WeirError {
  const code = (thrown as { code?: string })?.code;
  const full = code === "ENOSPC" || code === "EDQUOT" || /no space left|disk quota/i.test(String(thrown));
  const kind = full ? "storageFull" : "storage";
  if (!(thrown instanceof Error) || thrown instanceof WeirError) return toWeirError(thrown, kind, { path });
  // `No such file or directory (os error 2): readfile 'x'`: the number and the call say nothing to a user.
  const message = thrown.message.replace(/ \(os error \d+\)(?:(:) \w+)?/, "$1");
  return new WeirError(kind, message, { cause: thrown, detail: { path } });
}
