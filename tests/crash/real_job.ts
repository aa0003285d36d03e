/** The jobs that users run, as processes, with the one object that `--json` prints. */
import assert from "node:assert/strict";
import type { CaptureOutcome } from "../../jobs/wiring/outcome.ts";
import type { ErrorReport } from "../../lib/cli/error_text.ts";
import { crashModel } from "./crash_job.ts";
import { type JobEnd, JobProcess } from "./job_process.ts";

/** What to run. */
export interface RealJobPlan {
  readonly job: "capture" | "pipeline";
  readonly folder: string;
  /** Server of the user. Undefined: the embedded one. */
  readonly url?: string;
  readonly flags: readonly string[];
  /** Whether nobody reads what it says. Default false. */
  readonly unread?: boolean;
}

/** How it ended: with an outcome, or with an error. */
export interface RealJobEnd {
  readonly code: number;
  readonly log: string;
  readonly outcome: CaptureOutcome & { readonly error?: ErrorReport };
}

/** Starts a job. */
export function startJob({ job, folder, url, flags, unread = false }: RealJobPlan): JobProcess {
  return new JobProcess({
    script: new URL(`../../jobs/${job}.ts`, import.meta.url),
    args: ["--json", ...flags],
    folder,
    unread,
    environment: {
      // Payments have vectors, and to load the default model takes a tenth of such a run. A flag goes before it.
      ...(job === "pipeline" ? { WEIR_MODEL: crashModel } : {}),
      ...(url === undefined ? {} : { POSTGRES_URL: url }),
    },
  });
}

/** Runs a job to its end. */
export async function runJob(plan: RealJobPlan): Promise<RealJobEnd> {
  return endOf(await startJob(plan).ended);
}

/** The end of a job that was started with {@linkcode startJob}. */
export function endOf({ status, output, log }: JobEnd): RealJobEnd {
  assert.notEqual(output, "", `the job printed nothing: ${log}`);
  return { code: status.code, log, outcome: JSON.parse(output) };
}

/** The job did everything: so many tables hold what the source holds. */
export function assertComplete({ code, log, outcome }: RealJobEnd, tables: number): void {
  assert.equal(code, 0, log);
  assert.equal(outcome.ok, true);
  assert.equal(outcome.verification.length, tables);
  for (const found of outcome.verification) {
    const { missing, extra, different } = found;
    assert.deepEqual({ missing, extra, different }, { missing: 0, extra: 0, different: 0 }, JSON.stringify(found));
  }
  for (const { rows, name } of outcome.tables) assert.ok(rows !== null && rows > 0, `${name} is empty`);
}

/** The job says what is wrong, where and what to do, to people and to machines, and does not call it success. */
export function assertRefused(end: RealJobEnd, expected: { readonly kind: string; readonly says: RegExp }): void {
  const { code, log, outcome: { ok, error } } = end;
  assert.equal(code, 1, log);
  assert.equal(ok, false);
  assert.equal(error?.kind, expected.kind, log);
  assert.match(`${error?.message} ${JSON.stringify(error?.detail)} ${error?.advice}`, expected.says);
  assert.match(log, /error: .+[\s\S]*what to do: .+/);
}

/** The job sets one dataset aside, says why and what to do, carries the others, and does not call that success. */
export function assertSetAside(
  { code, log, outcome }: RealJobEnd,
  expected: { readonly kind: string; readonly dataset: string; readonly says: RegExp },
): void {
  assert.deepEqual([code, outcome.ok, outcome.error], [1, false, undefined], log);
  assert.deepEqual(outcome.failures.map(({ dataset, kind }) => [dataset, kind]), [[expected.dataset, expected.kind]]);
  assert.match(log, expected.says);
  for (const { missing, extra, different } of outcome.verification) assert.equal(missing + extra + different, 0, log);
}
