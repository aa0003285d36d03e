/** A capture through the jobs' own wiring, timed. */
import { Progress } from "../../lib/cli/progress.ts";
import type { Dataset } from "../../lib/dataset/dataset.ts";
import { datasetText } from "../../lib/embed/text_declaration.ts";
import { resolveSettings } from "../../lib/settings/resolve.ts";
import { type CapturedTables, CaptureRun } from "../../jobs/wiring/capture_run.ts";
import { captureSettings } from "../../jobs/wiring/capture_settings.ts";

/** What is captured, and how. */
export interface BenchCapture {
  readonly url: string;
  readonly lake: string;
  readonly tables: CapturedTables;
  readonly formats: string;
  readonly embedded?: boolean;
}

/** Opens a capture with the jobs' default settings. */
export function openCapture(options: BenchCapture): Promise<CaptureRun> {
  const flags = new Map([["lake", [options.lake]], ["formats", [options.formats]]]);
  const settings = resolveSettings(captureSettings, { flags, environment: () => undefined, file: {} });
  const textOf = (dataset: Dataset) => options.embedded ? datasetText(dataset) : undefined;
  return CaptureRun.open({
    job: "bench",
    url: options.url,
    settings,
    tables: options.tables,
    textOf,
    signal: new AbortController().signal,
    progress: new Progress({ write: () => {} }),
  });
}

/** Copies what is there, so that the slot stands and later changes wait in the log. Gives milliseconds until it streamed. */
export async function copyFirst(options: BenchCapture): Promise<number> {
  await using run = await openCapture(options);
  const startedMs = performance.now();
  return await run.during(() => Promise.resolve(performance.now() - startedMs));
}

/** Takes a backlog of so many rows and gives milliseconds until all were committed. */
export async function takeBacklog(options: BenchCapture, rows: number): Promise<number> {
  await using run = await openCapture(options);
  return await run.during(async () => {
    const startedMs = performance.now();
    while (run.pipeline.rows < rows) await new Promise((resolve) => setTimeout(resolve, 10));
    return performance.now() - startedMs;
  });
}
