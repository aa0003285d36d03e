/** A capture through the jobs' own wiring, timed. */
import process from "node:process";
import { TextProgress } from "../../lib/cli/progress_text.ts";
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
  /** Formats in which Iceberg tables are shown too. Default: none. */
  readonly mirror?: string;
  /** Default: the jobs' own. */
  readonly batchRows?: number;
  /** Model of the vectors. Absent: none. */
  readonly model?: string;
}

/** What a stretch of work took of this process. */
export interface Taken {
  readonly ms: number;
  readonly cpuSeconds: number;
}

/** Measures work. */
export async function taken(work: () => Promise<unknown>): Promise<Taken> {
  const [startedMs, startedCpu] = [performance.now(), cpuSeconds()];
  await work();
  return { ms: performance.now() - startedMs, cpuSeconds: cpuSeconds() - startedCpu };
}

function cpuSeconds(): number {
  const { userCPUTime, systemCPUTime } = process.resourceUsage();
  return (userCPUTime + systemCPUTime) / 1e6;
}

/** Opens a capture with the jobs' default settings. */
export function openCapture(options: BenchCapture): Promise<CaptureRun> {
  const { model = "hash" } = options;
  const { lake, formats, mirror = "none" } = options;
  const batches = options.batchRows === undefined ? {} : { "batch-rows": String(options.batchRows) };
  const given = { lake, formats, mirror, model, ...batches };
  const flags = new Map(Object.entries(given).map(([name, value]) => [name, [value]]));
  const settings = resolveSettings(captureSettings, { flags, environment: () => undefined, file: {} });
  const textOf = (dataset: Dataset) => options.model === undefined ? undefined : datasetText(dataset);
  return CaptureRun.open({
    job: "bench",
    url: options.url,
    settings,
    tables: options.tables,
    textOf,
    signal: new AbortController().signal,
    progress: new TextProgress({ write: () => {} }),
  });
}

/** Copies what is there, so that the slot stands and later changes wait in the log. */
export async function copyFirst(options: BenchCapture): Promise<Taken> {
  await using run = await openCapture(options);
  return await taken(() => run.during(() => Promise.resolve()));
}

/** Takes a backlog of so many rows, until all are committed, and shown by the mirrors if there are any. */
export async function takeBacklog(options: BenchCapture, rows: number): Promise<Taken> {
  await using run = await openCapture(options);
  return await run.during(() =>
    taken(async () => {
      await untilCarried(run, rows);
      await run.lake.mirrors.settled();
    })
  );
}

/** Resolves when a run has carried so many rows. */
export async function untilCarried(run: CaptureRun, rows: number): Promise<void> {
  while (run.pipeline.rows < rows) await new Promise((resolve) => setTimeout(resolve, 10));
}
