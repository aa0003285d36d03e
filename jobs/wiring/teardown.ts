/** Drops what a job made at the source: slot and publication, nothing else. */
import type { JobResult } from "../../lib/cli/run_job.ts";
import type { Dataset } from "../../lib/dataset/dataset.ts";
import { PostgresSource } from "../../lib/source/postgres/source.ts";
import { join } from "node:path";
import { stateFolder } from "./capture_run.ts";

/** What is to be dropped, and how to tell about it. */
export interface TearDownOptions {
  readonly url: string;
  readonly slot: string;
  readonly publication: string;
  readonly tables: readonly Dataset[] | readonly string[];
  readonly print: (text: string) => void;
}

/** Drops slot and publication; that they are gone already is no error. */
export async function tearDown(options: TearDownOptions): Promise<JobResult & { dropped: readonly string[] }> {
  const { url, slot, publication, tables } = options;
  const source = await PostgresSource.open({
    url,
    slot,
    publication,
    tables,
    spoolFolder: join(stateFolder, "spool", slot),
  });
  try {
    await source.teardown();
  } finally {
    await source.close();
  }
  options.print(`dropped slot "${slot}" and publication "${publication}"; the lake stays as it is`);
  return { ok: true, dropped: [slot, publication] };
}
