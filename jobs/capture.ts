/** Any tables of any PostgreSQL into lake tables: datasets are inferred from the catalogue, no code to write. */
import { declareJob, runJob } from "../lib/cli/run_job.ts";
import { WeirError } from "../lib/errors.ts";
import type { Dataset } from "../lib/dataset/dataset.ts";
import { settings as declared } from "../lib/settings/declarations.ts";
import { captureSettings, lastingSettings } from "./wiring/capture_settings.ts";
import { CaptureRun } from "./wiring/capture_run.ts";
import { requestedText, requireTables } from "./wiring/embed_requests.ts";
import { captureOutcome, outcomeText } from "./wiring/outcome.ts";
import { requireReach } from "./wiring/reach.ts";
import { hinted, openServer } from "./wiring/server.ts";
import { keptLogText, tearDown } from "./wiring/teardown.ts";

const embeddedHint =
  "POSTGRES_URL is not set, so the embedded server was asked: set it to capture from a server of yours";

const own = {
  tables: declared.tables,
  embed: declared.embed,
  postgresUrl: declared.postgresUrl,
  postgresPort: declared.postgresPort,
};

export const job = declareJob({
  name: "capture",
  summary: "Capture your own tables from PostgreSQL into Iceberg, Paimon and Delta tables, and verify them",
  settings: { ...own, ...captureSettings },
  main: async ({ settings, signal, progress, print, command }) => {
    const startedMs = performance.now();
    const { tables = [], teardown } = settings;
    if (tables.length === 0 && !teardown) {
      throw new WeirError("configuration", "There is no table to capture", {
        advice: "Name tables or patterns, such as --tables 'public.orders,sales.*'",
      });
    }
    await requireReach("capture", settings, { catalog: settings, model: settings });
    await using server = await openServer(settings, { progress });
    const { url } = server;
    if (teardown) return await tearDown({ job: "capture", url, settings, print });
    const embed = settings.embed ?? [];
    const plan = {
      job: "capture",
      url,
      settings,
      tables: { tables },
      textOf: (dataset: Dataset) => requestedText(embed, dataset),
      signal,
      progress,
    };
    const hint = server.isOurs ? embeddedHint : undefined;
    await using run = await hinted(hint, () => CaptureRun.open(plan));
    requireTables(embed, run.plans.map(({ dataset }) => dataset));
    progress.note(`capturing through slot and publication "${run.source.objects.slot}"`);
    const verified = await run.during(async () => {
      if (settings.follow) await run.untilStopped();
      return signal.aborted ? [] : await run.verify();
    });
    const outcome = await captureOutcome(run, { verified, startedMs });
    print(outcomeText(outcome, {
      notes: server.isOurs ? [] : [keptLogText({ job: "capture", settings, command })],
      next: [[
        command("capture", { of: { ...own, ...lastingSettings }, more: ["--follow"] }),
        "keeps the tables fresh until Ctrl-C",
      ]],
    }));
    return outcome;
  },
});

if (import.meta.main) await runJob(job);
