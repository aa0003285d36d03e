/** A lake filled by the jobs' own wiring from a real server, for independent readers to open. */
import { Progress } from "../../lib/cli/progress.ts";
import { accountHolders } from "../../lib/domain/payments/account_holders.ts";
import { transactions } from "../../lib/domain/payments/transactions.ts";
import { datasetText } from "../../lib/embed/text_declaration.ts";
import { resolveSettings } from "../../lib/settings/resolve.ts";
import { type CapturedTables, CaptureRun } from "../../jobs/wiring/capture_run.ts";
import { captureSettings } from "../../jobs/wiring/capture_settings.ts";

/** The main job's tables. */
export const paymentTables: CapturedTables = { datasets: [accountHolders, transactions] };

/** What to capture, and into what. */
export interface CaptureIntoLake {
  readonly url: string;
  readonly lake: string;
  readonly tables: CapturedTables;
  readonly icebergVersion?: "2" | "3";
}

/** Captures everything the server holds now and ends; `work` runs while rows stream. */
export async function captureIntoLake(options: CaptureIntoLake, work?: () => Promise<void>): Promise<void> {
  const flags = new Map([
    ["lake", [options.lake]],
    ["batch-seconds", ["0.2"]],
    ["iceberg-version", [options.icebergVersion ?? "3"]],
  ]);
  const settings = resolveSettings(captureSettings, { flags, environment: () => undefined, file: {} });
  await using run = await CaptureRun.open({
    job: "interop",
    url: options.url,
    settings,
    tables: options.tables,
    textOf: datasetText,
    signal: new AbortController().signal,
    progress: new Progress({ write: () => {} }),
  });
  await run.during(async () => {
    await work?.();
    await run.pipeline.verificationPoint(() => {}).then((point) => point.close());
  });
  for (const error of run.pipeline.failures.values()) throw error;
}
