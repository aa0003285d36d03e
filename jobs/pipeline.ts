/** The main job: account holders and payments, captured, flattened, embedded, written as lake tables and verified. */
import { declareJob, runJob } from "../lib/cli/run_job.ts";
import { paymentsSettings, runPayments } from "./wiring/payments_run.ts";

export const job = declareJob({
  name: "pipeline",
  summary:
    "Capture account holders and payments from PostgreSQL into Iceberg, Paimon and Delta tables, with vectors, and verify them",
  settings: paymentsSettings,
  main: (context) => runPayments(context, { permissions: "pipeline" }),
});

if (import.meta.main) await runJob(job);
