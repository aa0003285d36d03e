/** The main job's capture inside the test's own process, for what no job does by itself: plants, and verification in a loop. */
import { CaptureRun } from "../../jobs/wiring/capture_run.ts";
import { captureSettings } from "../../jobs/wiring/capture_settings.ts";
import { TextProgress } from "../../lib/cli/progress_text.ts";
import { accountHolders } from "../../lib/domain/payments/account_holders.ts";
import { transactions } from "../../lib/domain/payments/transactions.ts";
import { datasetText } from "../../lib/embed/text_declaration.ts";
import { resolveSettings } from "../../lib/settings/resolve.ts";
import { crashModel } from "./crash_job.ts";

/** Opens a capture of the payment tables into a lake. `flags` are those of the job, by their names without dashes. */
export async function openCapture(
  url: string,
  flags: Readonly<Record<string, string>> & { readonly lake: string },
): Promise<CaptureRun> {
  const given = new Map(Object.entries({ model: crashModel, ...flags }).map(([name, value]) => [name, [value]]));
  return await CaptureRun.open({
    job: "crash",
    url,
    settings: resolveSettings(captureSettings, { flags: given, environment: () => undefined, file: {} }),
    tables: { datasets: [accountHolders, transactions] },
    textOf: datasetText,
    signal: new AbortController().signal,
    progress: new TextProgress({ write: () => {} }),
  });
}
