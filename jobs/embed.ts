/** Vectors of another model for tables that are there, beside the job that fills them or while none runs. */
import { declareJob, runJob } from "../lib/cli/run_job.ts";
import { settings as declared } from "../lib/settings/declarations.ts";
import { catalogSettings } from "../lib/settings/catalog_settings.ts";
import { modelSettings, placeSettings } from "./wiring/capture_settings.ts";
import { startModel, truncationNotes } from "./wiring/embedding_model.ts";
import type { NextStep } from "./wiring/outcome.ts";
import { requireReach } from "./wiring/reach.ts";
import { cacheNotes, estimateText, reembeddingOutcome, reembeddingText } from "./wiring/reembedding_outcome.ts";
import { Reembedding } from "./wiring/reembedding.ts";
import { upkeepSettings } from "./wiring/upkeep_settings.ts";
import { vectorLakeName } from "./wiring/vector_lake.ts";

const { lake: _, ...elsewhere } = placeSettings;

export const job = declareJob({
  name: "embed",
  summary: "Compute vectors of another model for lake tables, beside those they have and the job that fills them",
  settings: {
    dryRun: declared.dryRun,
    tables: {
      ...declared.tables,
      help: "Lake tables, as namespace.table with * and ?, ! before one leaves it out; without it all with a text",
    },
    embed: { ...declared.embed, help: "Columns that the vectors of a table are made from; without it as its own are" },
    ...modelSettings,
    budgetRows: declared.budgetRows,
    budgetMinutes: declared.budgetMinutes,
    follow: declared.follow,
    ...placeSettings,
    formats: {
      ...declared.formats,
      help: "Table formats to look for, first come first: of a table in several formats one is read and written",
      defaultText: "iceberg,paimon,delta",
    },
    ...upkeepSettings,
    ...catalogSettings,
    deadLetterShare: declared.deadLetterShare,
    memoryLimitBytes: declared.memoryLimitBytes,
    threads: declared.threads,
  },
  main: async ({ settings, signal, progress, print, command }) => {
    await requireReach("embed", settings, { catalog: settings, model: settings });
    const embedder = await startModel(settings, { signal, progress });
    await using open = new AsyncDisposableStack();
    open.defer(() => embedder.close());
    const work = open.use(await Reembedding.open({ settings, embedder, signal, progress }));
    const estimates = await work.estimate();
    print(estimateText(estimates, embedder.model));
    for (const note of cacheNotes(estimates, { embedder, mostBytes: settings.vectorCacheBytes })) progress.note(note);
    if (settings.dryRun || signal.aborted) return reembeddingOutcome([], { estimates, model: embedder.model });
    const worked = await work.run(estimates);
    const outcome = reembeddingOutcome(worked, { estimates, model: embedder.model });
    for (const note of truncationNotes(embedder)) progress.note(note);
    const lake = vectorLakeName(settings.lake, embedder.model);
    const next = worked.filter(({ embedded }) => embedded > 0).map(({ table }): NextStep => [
      command("similar", { of: elsewhere, more: ["--lake", lake, "--table", table, "--id", "…"] }),
      "searches among these vectors",
    ]);
    print(`\n${reembeddingText(outcome, next)}`);
    return outcome;
  },
});

if (import.meta.main) await runJob(job);
