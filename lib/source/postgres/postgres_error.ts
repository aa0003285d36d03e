/** PostgreSQL's and the socket's errors as ours (PostgreSQL documentation, "PostgreSQL Error Codes"). */
import { type ErrorDetail, type ErrorKind, WeirError } from "../../errors.ts";

const kindsByCode: Readonly<Record<string, ErrorKind>> = {
  "3D000": "configuration",
  "42501": "precondition",
  "42704": "sourceLost",
  "53300": "connection",
  "53400": "precondition",
  "55000": "sourceLost",
  "55006": "fenced",
  "57P01": "connection",
  "57P02": "connection",
  "57P03": "connection",
  "58P01": "sourceLost",
};

const socketCodes = /^(ECONN|EPIPE|ENOTFOUND|ETIMEDOUT|EHOST|ENET|EAI_)/;

/**
 * Wraps what `npm:pg` throws. `sourceLost` codes are meant for replication commands alone, so other callers name their own
 * kind for what is not a matter of connection or authentication.
 */
export function postgresError(thrown: unknown, otherwise: ErrorKind = "internal", detail: ErrorDetail = {}): WeirError {
  if (thrown instanceof WeirError) return thrown;
  const message = thrown instanceof Error && thrown.message !== "" ? thrown.message : "Cannot reach the server";
  const advice = codeOf(thrown) === "3D000" ? { advice: "Correct the database at the end of POSTGRES_URL" } : {};
  return new WeirError(kindOf(thrown, otherwise), message, { cause: thrown, detail, ...advice });
}

/** An error of a replication command, where a missing or invalid object means that changes are lost. */
export function replicationError(thrown: unknown, detail: ErrorDetail = {}): WeirError {
  const known = kindsByCode[codeOf(thrown)];
  return postgresError(thrown, known ?? "internal", detail);
}

function kindOf(thrown: unknown, otherwise: ErrorKind): ErrorKind {
  const code = codeOf(thrown);
  if (code.startsWith("28")) return "authentication";
  if (code.startsWith("08") || socketCodes.test(code)) return "connection";
  const known = kindsByCode[code];
  if (known !== undefined && known !== "sourceLost") return known;
  if (code === "" && /terminated|timeout expired|closed|connection error|SSL|stream/i.test(String(thrown))) {
    return "connection";
  }
  return otherwise;
}

/** The SQLSTATE or the socket's code of what was thrown; empty where it has none. */
export function codeOf(thrown: unknown): string {
  const code = (thrown as { code?: unknown })?.code;
  return typeof code === "string" ? code : "";
}
