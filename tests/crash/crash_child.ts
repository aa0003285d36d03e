/** Starts the crash job, kills it, and holds its report against the promise. */
import assert from "node:assert/strict";
import { type FailPointHits, parseHits } from "../../lib/testing/crash_at.ts";
import type { CrashJobPlan, CrashJobReport } from "./crash_job.ts";
import { JobProcess } from "./job_process.ts";

/** A running crash job. */
export class CrashChild extends JobProcess {
  /** @param folder Working directory of the job: its run-time state lies below it. */
  constructor(plan: CrashJobPlan, folder: string) {
    super({ script: new URL("./crash_job.ts", import.meta.url), args: [JSON.stringify(plan)], folder });
  }

  /** Waits for the end by SIGKILL and gives the hits of each fail point. */
  async killed(): Promise<FailPointHits> {
    const { output, log, status } = await this.ended;
    assert.equal(status.signal, "SIGKILL", `the job was not killed: ${output}${log}`);
    return parseHits(log);
  }

  /** Waits for the end and gives the report. */
  async report(): Promise<CrashJobReport> {
    const { output, log } = await this.ended;
    assert.notEqual(output, "", `the job said nothing: ${log}`);
    return JSON.parse(output) as CrashJobReport;
  }
}

/** A report of so many tables in which nothing is missing, extra or different. */
export function assertExact(report: CrashJobReport, tables = 6): void {
  assert.equal(report.error, undefined, JSON.stringify(report.error));
  assert.equal(report.verified.length, tables);
  for (const table of report.verified) {
    const { missing, extra, different } = table;
    assert.deepEqual({ missing, extra, different }, { missing: 0, extra: 0, different: 0 }, JSON.stringify(table));
    assert.ok(table.rows > 0, `${table.table} is empty`);
  }
}
