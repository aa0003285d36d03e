/** Starts the crash job, waits for what it says, kills it, and holds its report against the promise. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { type FailPointHits, parseHits } from "../../lib/testing/crash_at.ts";
import type { CrashJobPlan, CrashJobReport } from "./crash_job.ts";

const job = fileURLToPath(new URL("./crash_job.ts", import.meta.url));
const configuration = fileURLToPath(new URL("../../deno.json", import.meta.url));

/** A running crash job. */
export class CrashChild {
  readonly #process: Deno.ChildProcess;
  readonly #waiting: { readonly pattern: RegExp; readonly found: () => void }[] = [];
  readonly #finished: Promise<{ readonly output: string; readonly status: Deno.CommandStatus }>;
  #log = "";

  /** @param folder Working directory of the job: its run-time state lies below it. */
  constructor(plan: CrashJobPlan, folder: string) {
    const args = ["run", "-q", "-A", "--config", configuration, job, JSON.stringify(plan)];
    const command = new Deno.Command(Deno.execPath(), {
      args,
      cwd: folder,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
    this.#process = command.spawn();
    const log = this.#readLog();
    this.#finished = this.#finish(log);
  }

  /** Resolves once the job's log has the pattern; rejects when it ends without. */
  async until(pattern: RegExp): Promise<void> {
    if (pattern.test(this.#log)) return;
    const found = new Promise<void>((resolve) => this.#waiting.push({ pattern, found: resolve }));
    const ended = this.#finished.then(() => assert.match(this.#log, pattern));
    await Promise.race([found, ended]);
  }

  /** Of a job that has ended already, the report or the lack of a kill says what happened. */
  kill(signal: Deno.Signal): void {
    try {
      this.#process.kill(signal);
    } catch (thrown) {
      if (!(thrown instanceof TypeError)) throw thrown;
    }
  }

  /** Waits for the end by SIGKILL and gives the hits of each fail point. */
  async killed(): Promise<FailPointHits> {
    const { output, status } = await this.#finished;
    assert.equal(status.signal, "SIGKILL", `the job was not killed: ${output}${this.#log}`);
    return parseHits(this.#log);
  }

  /** Waits for the end and gives the report. */
  async report(): Promise<CrashJobReport> {
    const { output } = await this.#finished;
    assert.notEqual(output, "", `the job said nothing: ${this.#log}`);
    return JSON.parse(output) as CrashJobReport;
  }

  async #finish(log: Promise<void>): Promise<{ readonly output: string; readonly status: Deno.CommandStatus }> {
    const output = await new Response(this.#process.stdout).text();
    const status = await this.#process.status;
    await log;
    return { output, status };
  }

  async #readLog(): Promise<void> {
    for await (const text of this.#process.stderr.pipeThrough(new TextDecoderStream())) {
      this.#log += text;
      for (const { pattern, found } of this.#waiting) if (pattern.test(this.#log)) found();
    }
  }
}

/** A report of six tables in which nothing is missing, extra or different. */
export function assertExact(report: CrashJobReport): void {
  assert.equal(report.error, undefined, JSON.stringify(report.error));
  assert.equal(report.verified.length, 6);
  for (const table of report.verified) {
    const { missing, extra, different } = table;
    assert.deepEqual({ missing, extra, different }, { missing: 0, extra: 0, different: 0 }, JSON.stringify(table));
    assert.ok(table.rows > 0, `${table.table} is empty`);
  }
}
