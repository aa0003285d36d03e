/** Errors as the terminal and `--json` show them: what, where, why, what to do. */
import { type ErrorDetail, toWeirError, WeirError } from "../errors.ts";
import type { Redaction } from "../settings/redaction.ts";
import { resultJson } from "./result_json.ts";

/** An error as plain data, for the JSON object of a failed job. */
export interface ErrorReport {
  readonly kind: string;
  readonly message: string;
  readonly detail: ErrorDetail;
  readonly cause?: string;
  readonly advice: string;
}

/** The lines for the terminal. */
export function errorText(error: WeirError, redact: Redaction): string {
  const cause = causeOf(error);
  const lines = [`error: ${error.message}`];
  const places = placesOf(error.detail);
  if (places.length > 0) lines.push(`  where:      ${places.join(", ")}`);
  if (cause !== undefined) lines.push(`  why:        ${cause}`);
  if (error.detail.statement !== undefined) {
    lines.push(`  statement:  ${error.detail.statement.replaceAll("\n", `\n${" ".repeat(14)}`)}`);
  }
  lines.push(`  what to do: ${error.advice}`);
  return redact(lines.join("\n"));
}

/** The same for machines. */
export function errorReport(error: WeirError, redact: Redaction): ErrorReport {
  const cause = causeOf(error);
  const report = { kind: error.kind, message: error.message, detail: error.detail, advice: error.advice };
  return JSON.parse(resultJson({ ...report, ...cause === undefined ? {} : { cause } }, redact)) as ErrorReport;
}

/**
 * Anything thrown as an error that may be shown. One of ours and a programmer's mistake speak for themselves; the message of
 * anything else can hold row values and is left to `--debug`.
 */
export function presentable(thrown: unknown): WeirError {
  const mistakes = [WeirError, TypeError, RangeError, ReferenceError];
  if (mistakes.some((mistake) => thrown instanceof mistake)) return toWeirError(thrown);
  return new WeirError("internal", "an error that was not foreseen; --debug shows it", { cause: thrown });
}

/**
 * Names the error underneath without its message: a message of the database or the file system can hold row values, its code
 * (an SQLSTATE, an errno name, a class) cannot.
 */
function causeOf(error: WeirError): string | undefined {
  const cause = error.cause;
  if (!(cause instanceof Error)) return undefined;
  const code = (cause as { code?: unknown }).code;
  const name = cause.name === "Error" ? "" : cause.name;
  const named = [name, typeof code === "string" ? code : ""].filter((part) => part !== "").join(" ");
  return named === "" ? undefined : named;
}

function placesOf({ table, position, path, counts }: ErrorDetail): string[] {
  const places: string[] = [];
  if (table !== undefined) places.push(`table ${table}`);
  if (position !== undefined) places.push(`position ${position}`);
  if (path !== undefined) places.push(path);
  for (const [name, count] of Object.entries(counts ?? {})) places.push(`${name} ${count}`);
  return places;
}
