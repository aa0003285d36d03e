/** Drops what a job made at the source: slot and publication, nothing else. */
import { join } from "node:path";
import type { JobResult } from "../../lib/cli/run_job.ts";
import { PostgresSource } from "../../lib/source/postgres/source.ts";
import { type CaptureRunOptions, captureSource, stateFolder } from "./capture_run.ts";

/** What is to be dropped, and how to tell about it. */
export type TearDownOptions =
  & Pick<CaptureRunOptions, "job" | "url" | "tables">
  & { readonly settings: { readonly lake: string }; readonly print: (text: string) => void };

/** Drops slot and publication; that they are gone already is no error. */
export async function tearDown(options: TearDownOptions): Promise<JobResult & { readonly dropped: readonly string[] }> {
  const source = new PostgresSource({ ...captureSource(options), folder: join(stateFolder, "teardown") });
  const { slot, publication } = source.objects;
  try {
    await source.teardown();
  } finally {
    await source.close();
  }
  options.print(`dropped slot "${slot}" and publication "${publication}"; the lake stays as it is`);
  return { ok: true, dropped: [slot, publication] };
}
