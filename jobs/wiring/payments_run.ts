/** Account holders and payments, generated, captured, flattened, embedded, written as lake tables and verified. */
import type { JobContext } from "../../lib/cli/run_job.ts";
import type { JobResult } from "../../lib/cli/run_job.ts";
import type { Dataset } from "../../lib/dataset/dataset.ts";
import { accountHolders } from "../../lib/domain/payments/account_holders.ts";
import { transactions } from "../../lib/domain/payments/transactions.ts";
import { datasetText } from "../../lib/embed/text_declaration.ts";
import { settings as declared } from "../../lib/settings/declarations.ts";
import { generatorSettings } from "../../lib/settings/generator.ts";
import type { Declarations } from "../../lib/settings/setting.ts";
import { CaptureRun } from "./capture_run.ts";
import { catalogSettings } from "../../lib/settings/catalog_settings.ts";
import { captureSettings, lastingSettings, placeSettings } from "./capture_settings.ts";
import { Generation } from "./generation.ts";
import { captureOutcome, type NextStep, outcomeText } from "./outcome.ts";
import { requireReach } from "./reach.ts";
import { hinted, openServer } from "./server.ts";
import { StopOfCapture } from "./stop_of_capture.ts";
import { keptLogText, tearDown } from "./teardown.ts";

const generateHint =
  "or add --generate to have the tables made and filled there, or unset POSTGRES_URL to use the embedded server";

const datasets = [accountHolders, transactions];

const own = {
  postgresUrl: declared.postgresUrl,
  postgresPort: declared.postgresPort,
  holders: declared.holders,
  payments: declared.payments,
  seed: declared.seed,
  rate: declared.rate,
  generate: declared.generate,
  recordText: declared.recordText,
};

/** What such a run takes. */
export const paymentsSettings = { ...own, ...captureSettings, ...generatorSettings };

/** What differs between the jobs that run so. */
export interface PaymentsRunOptions {
  /** Whose permissions it has. */
  readonly permissions: string;
  /** Whether it verifies its tables also when the user has stopped it, who waits for what it says then. Default: no. */
  readonly verifiesStopped?: boolean;
  /** Looks on from when everything is open until the end. */
  readonly watch?: (run: CaptureRun) => AsyncDisposable | Promise<AsyncDisposable>;
}

/** Runs it to its end. Every such job goes on where another left a lake. */
export async function runPayments(
  { settings, signal, gone, progress, print, command }: Omit<
    JobContext<typeof paymentsSettings>,
    "operand" | "writeRows"
  >,
  { permissions, verifiesStopped = false, watch }: PaymentsRunOptions,
): Promise<JobResult> {
  const startedMs = performance.now();
  await requireReach(permissions, settings, {
    files: [settings.pickListFile],
    catalog: settings,
    model: settings,
  });
  await using server = await openServer(settings, { progress });
  const { url } = server;
  if (settings.teardown) return await tearDown({ job: "pipeline", url, settings, print });
  await using generation = server.isOurs || settings.generate
    ? await Generation.open({ url, settings, progress, signal })
    : undefined;
  const textOf = (dataset: Dataset) => datasetText(dataset, settings.recordText);
  const stop = new StopOfCapture({ asked: signal, atOnce: verifiesStopped ? gone : signal });
  const plan = { job: "pipeline", url, settings, tables: { datasets }, textOf, signal: stop.signal, progress };
  const hint = generation === undefined ? generateHint : undefined;
  await using run = await hinted(hint, () => CaptureRun.open(plan));
  await using _watching = await watch?.(run);
  // Not before everything else is known to be well: what is generated stays.
  await generation?.load();
  progress.note(`capturing through slot and publication "${run.source.objects.slot}"`);
  const verified = await run.during(async () => {
    stop.isStreaming = true;
    await generation?.stream({ follow: settings.follow });
    if (settings.follow) await aborted(signal);
    return stop.signal.aborted ? [] : await run.verify();
  });
  const outcome = await captureOutcome(run, { verified, startedMs });
  print(outcomeText(outcome, {
    notes: server.isOurs ? [] : [keptLogText({ job: "pipeline", settings, command })],
    next: nextSteps(command),
  }));
  return outcome;
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

function nextSteps(command: JobContext<Declarations>["command"]): readonly NextStep[] {
  const again = { ...own, ...lastingSettings, ...generatorSettings };
  return [
    [command("pipeline", { of: again }), "goes on from here: more rows, nothing twice"],
    [command("pipeline", { of: again, more: ["--follow"] }), "runs until Ctrl-C"],
    [
      command("capture", {
        of: { ...placeSettings, formats: declared.formats, ...catalogSettings },
        more: ["--tables", "…"],
      }),
      "captures your own tables (POSTGRES_URL)",
    ],
  ];
}
