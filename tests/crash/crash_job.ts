/**
 * The main job's capture as a process that can be killed at a named point. Its one argument is a {@linkcode CrashJobPlan} as
 * JSON; it ends with one line of JSON, a {@linkcode CrashJobReport}, unless it was killed.
 */
import process from "node:process";
import { TextProgress } from "../../lib/cli/progress_text.ts";
import { accountHolders } from "../../lib/domain/payments/account_holders.ts";
import { transactions } from "../../lib/domain/payments/transactions.ts";
import { datasetText } from "../../lib/embed/text_declaration.ts";
import { toWeirError } from "../../lib/errors.ts";
import { resolveSettings } from "../../lib/settings/resolve.ts";
import { crashAt, type CrashPlan, formatHits } from "../../lib/testing/crash_at.ts";
import { CaptureRun } from "../../jobs/wiring/capture_run.ts";
import { captureSettings } from "../../jobs/wiring/capture_settings.ts";
import type { VerifiedTable } from "../../jobs/wiring/verification.ts";

/** What the process is to do: run, and perhaps be killed at a point. */
export interface CrashJobPlan extends Pick<CrashPlan, "point" | "hit" | "delayMs"> {
  readonly url: string;
  readonly lake: string;
  /** Table formats to write. Default: the job's own. */
  readonly formats?: string;
  /** Tables to capture instead of those of the main job. */
  readonly tables?: readonly string[];
  /** Settings of the job over those of the tests, by flag. */
  readonly flags?: Readonly<Record<string, string>>;
  /** Run until killed or interrupted instead of ending with a verification. */
  readonly follow?: boolean;
  /** Kill at the point whether a table commit came before or not: for the initial copy, which makes the first. */
  readonly atOnce?: boolean;
  /** Milliseconds of silence after which the stream counts as lost. */
  readonly silenceMs?: number;
}

/** Vectors come and go as with any other model, and the process does not load one each time: that took a tenth of its work. */
export const crashModel = "hash";

/** What it says at its end. */
export interface CrashJobReport {
  readonly verified: readonly Pick<VerifiedTable, "format" | "table" | "rows" | "missing" | "extra" | "different">[];
  readonly error?: { readonly kind: string; readonly message: string };
}

if (import.meta.main) {
  const plan = JSON.parse(Deno.args[0] ?? "{}") as CrashJobPlan;
  const hits = crashAt({ ...plan, ...(plan.atOnce ? { commitPoints: [plan.point ?? ""] } : {}) });
  const report = await run(plan).catch((thrown): CrashJobReport => {
    const { kind, message } = toWeirError(thrown);
    return { verified: [], error: { kind, message } };
  });
  for (const line of formatHits(hits)) console.error(line);
  console.log(JSON.stringify(report));
  Deno.exit(0);
}

async function run(plan: CrashJobPlan): Promise<CrashJobReport> {
  const own = {
    lake: plan.lake,
    model: crashModel,
    "batch-seconds": "0.1",
    "batch-rows": "500",
    "dead-letter-share": "1",
  };
  const formats = plan.formats === undefined ? {} : { formats: plan.formats };
  const flags = Object.entries({ ...own, ...formats, ...plan.flags });
  const settings = resolveSettings(captureSettings, {
    flags: new Map(flags.map(([flag, value]) => [flag, [value]])),
    environment: (name) => name.startsWith("AWS_") ? Deno.env.get(name) : undefined,
    file: {},
  });
  const stop = new AbortController();
  process.on("SIGINT", () => stop.abort());
  await using capture = await CaptureRun.open({
    job: "crash",
    url: plan.url,
    settings,
    tables: plan.tables === undefined ? { datasets: [accountHolders, transactions] } : { tables: plan.tables },
    textOf: plan.tables === undefined ? datasetText : () => undefined,
    signal: stop.signal,
    progress: new TextProgress({ write: () => {} }),
    ...(plan.silenceMs === undefined ? {} : { silenceMs: plan.silenceMs }),
  });
  const verified = await capture.during(async () => {
    console.error("streaming");
    if (plan.follow) await capture.untilStopped();
    return plan.follow ? [] : await capture.verify();
  });
  const failed = [...capture.pipeline.failures.values()][0];
  return {
    verified: verified.map(({ format, table, rows, missing, extra, different }) => ({
      format,
      table,
      rows,
      missing,
      extra,
      different,
    })),
    ...(failed === undefined ? {} : { error: { kind: failed.kind, message: failed.message } }),
  };
}
