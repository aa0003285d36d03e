/** The main job: account holders and payments, captured, flattened, embedded, written as lake tables and verified. */
import { declareJob, type JobContext, runJob } from "../lib/cli/run_job.ts";
import type { Dataset } from "../lib/dataset/dataset.ts";
import { accountHolders } from "../lib/domain/payments/account_holders.ts";
import { transactions } from "../lib/domain/payments/transactions.ts";
import { datasetText } from "../lib/embed/text_declaration.ts";
import { settings as declared } from "../lib/settings/declarations.ts";
import { generatorSettings } from "../lib/settings/generator.ts";
import type { Declarations } from "../lib/settings/setting.ts";
import { captureSettings, catalogSettings, lastingSettings, placeSettings } from "./wiring/capture_settings.ts";
import { CaptureRun } from "./wiring/capture_run.ts";
import { Generation } from "./wiring/generation.ts";
import { captureOutcome, type NextStep, outcomeText } from "./wiring/outcome.ts";
import { requireReach } from "./wiring/reach.ts";
import { hinted, openServer } from "./wiring/server.ts";
import { keptLogText, tearDown } from "./wiring/teardown.ts";

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

export const job = declareJob({
  name: "pipeline",
  summary:
    "Capture account holders and payments from PostgreSQL into Iceberg, Paimon and Delta tables, with vectors, and verify them",
  settings: { ...own, ...captureSettings, ...generatorSettings },
  main: async ({ settings, signal, progress, print, command }) => {
    const startedMs = performance.now();
    await requireReach("pipeline", settings, { files: [settings.pickListFile], catalog: settings, model: settings });
    await using server = await openServer(settings, { progress });
    const { url } = server;
    if (settings.teardown) return await tearDown({ job: "pipeline", url, settings, print });
    await using generation = server.isOurs || settings.generate
      ? await Generation.open({ url, settings, progress, signal })
      : undefined;
    const textOf = (dataset: Dataset) => datasetText(dataset, settings.recordText);
    const plan = { job: "pipeline", url, settings, tables: { datasets }, textOf, signal, progress };
    const hint = generation === undefined ? generateHint : undefined;
    await using run = await hinted(hint, () => CaptureRun.open(plan));
    // Not before everything else is known to be well: what is generated stays.
    await generation?.load();
    progress.note(`capturing through slot and publication "${run.source.objects.slot}"`);
    const verified = await run.during(async () => {
      await generation?.stream({ follow: settings.follow });
      if (settings.follow) await run.untilStopped();
      return signal.aborted ? [] : await run.verify();
    });
    const outcome = await captureOutcome(run, { verified, startedMs });
    print(outcomeText(outcome, {
      notes: server.isOurs ? [] : [keptLogText({ job: "pipeline", settings, command })],
      next: nextSteps(command),
    }));
    return outcome;
  },
});

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

if (import.meta.main) await runJob(job);
