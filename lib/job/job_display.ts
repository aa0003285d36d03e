/** A started job as a notebook shows it: the command, how far it is, and what it printed. */
import { formatBytes, formatCount, formatSeconds } from "../cli/format.ts";
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
  const { command, isRunning, seconds, notes, texts } = job;
  const head = isRunning ? `running for ${formatSeconds(seconds)}` : `ended after ${formatSeconds(seconds)}`;
  const body = texts.length > 0 && !isRunning
    ? texts.join("\n")
    : [...notes.slice(-shownNotes), stateText(job)].join("\n");
  return {
    "text/html": `<div><code>${escaped(command)}</code> ${escaped(head)}</div>` +
      `<pre style="font-family:monospace;line-height:1.3">${escaped(body)}</pre>`,
    "text/plain": `${command}: ${head}\n${body}`,
  };
}

function stateText({ state }: ShownJob): string {
  if (state === undefined) return "starting";
  const { activity, rows, totalRows, unit, lagBytes, lagSeconds } = state;
  const amount = (count: number) => unit === "bytes" ? formatBytes(count) : `${formatCount(count)} rows`;
  return [
    activity,
    ...(totalRows === undefined || totalRows === 0 ? [] : [`${Math.floor(Math.min(rows / totalRows, 1) * 100)} %`]),
    ...(rows > 0 ? [amount(rows)] : []),
    ...(lagBytes === undefined ? [] : [`lag ${formatBytes(lagBytes)}`]),
    ...(lagSeconds === undefined ? [] : [`lag ${formatSeconds(lagSeconds)}`]),
  ].join("  ");
}
