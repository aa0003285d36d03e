/** Lake tables held against their source as a job of its own, beside the one that fills them or while none runs. */
import { declareJob, type JobContext, runJob } from "../lib/cli/run_job.ts";
import { settings as declared } from "../lib/settings/declarations.ts";
import { catalogSettings } from "../lib/settings/catalog_settings.ts";
import { placeSettings } from "./wiring/capture_settings.ts";
import { BesideVerification } from "./wiring/beside_verification.ts";
import { requireReach } from "./wiring/reach.ts";
import { openServerBeside } from "./wiring/server.ts";
import { verificationOutcome, verificationText } from "./wiring/verification_outcome.ts";

const own = {
  tables: {
    ...declared.tables,
    help:
      "Lake tables to verify, as namespace.table with * and ?, ! before one leaves it out, or source.table=lake.table " +
      "for two of other names; without it all",
  },
  sample: declared.sample,
  waitSeconds: declared.waitSeconds,
  postgresUrl: declared.postgresUrl,
  ...placeSettings,
  formats: { ...declared.formats, help: "Table formats to verify", defaultText: "iceberg,paimon,delta" },
  ...catalogSettings,
  slot: declared.slot,
  maxValueBytes: declared.maxValueBytes,
  memoryLimitBytes: declared.memoryLimitBytes,
  threads: declared.threads,
};

export const job = declareJob({
  name: "verify",
  summary:
    "Hold lake tables against their source at one position, row by row, whether a job fills them meanwhile or not",
  stops: "after what is under way",
  settings: own,
  main: async (context: JobContext<typeof own>) => {
    const { settings, progress, print } = context;
    await requireReach("verify", settings, { catalog: settings });
    await using server = await openServerBeside(settings, { progress });
    await using verification = await BesideVerification.open({ ...context, url: server.url });
    const outcome = verificationOutcome(await verification.run(), settings);
    print(verificationText(outcome));
    return outcome;
  },
});

if (import.meta.main) await runJob(job);
