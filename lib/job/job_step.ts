/** What a job tells while it runs. */
import type { ProgressState } from "../cli/progress.ts";

/** How far it was at a time. */
export interface JobState extends ProgressState {
  /** Epoch milliseconds. */
  readonly timeMs: number;
}

/** A sentence of it. */
export interface JobNote {
  /** Epoch milliseconds. */
  readonly timeMs: number;
  readonly note: string;
}

/** One or the other. */
export type JobStep = JobState | JobNote;

/** A line of a job's standard error: a step, or a text that it prints for people; undefined where it only says that it is there. */
export function readLine(line: string): JobStep | { readonly text: string } | undefined {
  const told = parsed(line);
  // What comes from the runtime, such as its installing of packages.
  if (told === undefined) return line.trim() === "" ? undefined : { timeMs: Date.now(), note: line };
  return "note" in told || "activity" in told || "text" in told ? told as unknown as JobStep : undefined;
}

function parsed(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && "timeMs" in value ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
