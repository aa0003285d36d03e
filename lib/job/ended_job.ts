/** What a job's end means to who started it. */
import type { ErrorReport } from "../cli/error_text.ts";
import { type ErrorKind, WeirError } from "../errors.ts";
import type { JobOutcome } from "./job_outcome.ts";

/** What the object on a job's standard output says: its outcome, or the error it failed with; undefined where there is no object. */
export function readOutcome(printed: string): JobOutcome | WeirError | undefined {
  const object = parsed(printed);
  if (object === undefined || !("error" in object)) return object;
  const { kind, message, detail, advice } = object.error as ErrorReport;
  return new WeirError(kind as ErrorKind, message, { detail, advice });
}

/** The error of a job that ended without a word of what became of it. */
export function endedWithout(
  { command, code, notes }: { readonly command: string; readonly code: number; readonly notes: readonly string[] },
): WeirError {
  if (interruptedCodes.includes(code)) return new WeirError("interrupted", `${command} was stopped before it began`);
  const said = notes.slice(-saidLines).join("\n");
  return new WeirError("internal", `${command} ended with exit code ${code}${said === "" ? "" : `:\n${said}`}`, {
    advice: "Run it in a terminal, in the project's folder, to see all that it says",
  });
}

/** 128 and the number of SIGINT or SIGTERM. */
const interruptedCodes = [130, 143];
const saidLines = 10;

function parsed(printed: string): JobOutcome | undefined {
  try {
    const object: unknown = JSON.parse(printed);
    return typeof object === "object" && object !== null && "ok" in object ? object as JobOutcome : undefined;
  } catch {
    return undefined;
  }
}
