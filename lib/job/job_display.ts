/** A started job as a notebook shows it: the command, how far it is, and what it printed. */
import { formatSeconds } from "../cli/format.ts";
import { progressLine } from "../cli/progress_line.ts";
import { escaped } from "../notebook/html_text.ts";
import type { MediaBundle } from "../notebook/table_display.ts";
import type { JobState } from "./job_step.ts";

/** What there is to show. */
export interface ShownJob {
  readonly command: string;
  readonly seconds: number;
  readonly isRunning: boolean;
  readonly state: JobState | undefined;
  readonly notes: readonly string[];
  readonly texts: readonly string[];
}

/** Newest notes that are shown while there is nothing else. */
const shownNotes = 3;

/** Every form of it. */
export function jobBundle(job: ShownJob): MediaBundle {
  const { command, isRunning, seconds, state, notes, texts } = job;
  const head = isRunning ? `running for ${formatSeconds(seconds)}` : `ended after ${formatSeconds(seconds)}`;
  const body = texts.length > 0 && !isRunning
    ? texts.join("\n")
    : [...notes.slice(-shownNotes), state === undefined ? "starting" : progressLine(state)].join("\n");
  return {
    "text/html": `<div><code>${escaped(command)}</code> ${escaped(head)}</div>` +
      `<pre style="font-family:monospace;line-height:1.3">${escaped(body)}</pre>`,
    "text/plain": `${command}: ${head}\n${body}`,
  };
}
