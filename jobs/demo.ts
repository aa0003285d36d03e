/** The main job to look at: it generates and captures payments until Ctrl-C, with a live view of the lake. */
import { declareJob, runJob } from "../lib/cli/run_job.ts";
import { DemoView } from "./wiring/demo/demo_view.ts";
import { LakeWatch } from "./wiring/demo/lake_watch.ts";
import { paymentsSettings, runPayments } from "./wiring/payments_run.ts";

const { follow: _, teardown: __, ...settings } = paymentsSettings;

export const job = declareJob({
  name: "demo",
  summary:
    "Show the pipeline at work until Ctrl-C: rates, lag, tables, the latest payments and what is similar to them",
  stops: "once every table is verified",
  settings,
  main: async ({ settings, terminal, progress, ...context }) => {
    const following = { ...context, terminal, progress, settings: { ...settings, follow: true, teardown: false } };
    const run = { permissions: "demo", verifiesStopped: true };
    if (terminal === undefined) return await runPayments(following, run);
    const view = new DemoView(terminal, { formats: settings.formats, signal: context.signal });
    terminal.handTo(view);
    return await runPayments(following, {
      ...run,
      watch: (run) => LakeWatch.start(run, { signal: context.signal, found: (figures) => view.found(figures) }),
    });
  },
});

if (import.meta.main) await runJob(job);
