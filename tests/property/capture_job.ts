/** The capture job's own wiring over a server, ended by its verification: what a user of `deno task capture` would see. */
import assert from "node:assert/strict";
import { CaptureRun } from "../../jobs/wiring/capture_run.ts";
import { captureSettings } from "../../jobs/wiring/capture_settings.ts";
import type { VerifiedTable } from "../../jobs/wiring/verification.ts";
import { TextProgress } from "../../lib/cli/progress_text.ts";
import { embedTextFrom } from "../../lib/embed/text_declaration.ts";
import { resolveSettings } from "../../lib/settings/resolve.ts";

/** What to capture, and into what. */
export interface CaptureJobOptions {
  readonly url: string;
  readonly lake: string;
  readonly tables: readonly string[];
  /** More flags, without dashes. */
  readonly flags?: Readonly<Record<string, string>>;
  /** Columns of every table to make vectors of. */
  readonly embed?: readonly string[];
  /** Runs while rows stream, before the verification. */
  readonly work?: (run: CaptureRun) => Promise<void>;
}

/** What became of it. */
export interface CaptureJobOutcome {
  readonly verified: readonly VerifiedTable[];
  /** What the job told the user on the way. */
  readonly notes: string;
  readonly deadLetters: number;
}

/** One run of the job, as in a process of its own. Throws what stops the job. */
export async function captureJob(options: CaptureJobOptions): Promise<CaptureJobOutcome> {
  const { url, lake, tables, embed, work } = options;
  const flags = Object.entries({ lake, "batch-seconds": "0.1", "dead-letter-share": "1", ...options.flags });
  let notes = "";
  await using run = await CaptureRun.open({
    job: "property",
    url,
    settings: resolveSettings(captureSettings, {
      flags: new Map(flags.map(([name, value]) => [name, [value]])),
      environment: () => undefined,
      file: {},
    }),
    tables: { tables },
    textOf: () => embed === undefined ? undefined : embedTextFrom(embed),
    signal: new AbortController().signal,
    progress: new TextProgress({ write: (text) => notes += text }),
  });
  const verified = await run.during(async () => {
    await work?.(run);
    return await run.verify();
  });
  for (const error of run.pipeline.failures.values()) throw error;
  return { verified, notes, deadLetters: run.deadLetters.count };
}

/** Every table of both formats is as the source is, and there are as many of them as expected. */
export function assertVerified(outcome: CaptureJobOutcome, tables: number): void {
  const wrong = outcome.verified.filter(({ missing, extra, different }) => missing + extra + different > 0);
  assert.deepEqual(wrong, [], outcome.notes);
  assert.equal(outcome.verified.length, 2 * tables, outcome.notes);
}
