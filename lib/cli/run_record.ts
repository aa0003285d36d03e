/**
 * What became of a job's last run, kept in one small file a job: outcome, when and how long, never a message or a value.
 *
 * Promise: a record is there whole or not at all, and one of a run that was killed is not taken for one that runs: the file is
 * locked as long as its run lives, and the system frees the lock with the process, however that ends.
 */
import { join } from "node:path";
import type { ErrorKind } from "../errors.ts";

/** Below the folder of run-time state, from where a task is run. */
const recordsFolder = "data/state/runs";

/** How a run ended. `wrong`: with a result that is not well, such as a row that differs. */
export type RunEnd = "ok" | "wrong" | "failed" | "stopped";

interface Written {
  readonly run: string;
  readonly startedAt: string;
  readonly ended?: { readonly outcome: RunEnd; readonly seconds: number; readonly error?: ErrorKind };
}

/** A job's last run. */
export interface LastRun {
  /** `killed`: it is gone and did not say how it ended. */
  readonly outcome: RunEnd | "running" | "killed";
  /** Of a failed one. */
  readonly error?: ErrorKind;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  /** How long it took, where it said so. */
  readonly seconds?: number;
}

/** The record of a run that is under way. */
export class RunRecord {
  readonly #path: string;
  readonly #started = { run: crypto.randomUUID(), startedAt: new Date().toISOString() };
  readonly #startedMs = performance.now();
  #file: Deno.FsFile | undefined;

  /**
   * Says that a run of this job begins. Where that cannot be written, the job goes on without a record of it.
   *
   * @param folder Default: `data/state/runs`.
   */
  constructor(job: string, folder = recordsFolder) {
    this.#path = recordPath(job, folder);
    try {
      Deno.mkdirSync(folder, { recursive: true });
      this.#file = this.#replace(this.#started);
    } catch {
      this.#file = undefined;
    }
  }

  /** Says how it ended; the first call counts. A run that began later keeps its own record. */
  end(outcome: RunEnd, error?: ErrorKind): void {
    const file = this.#file;
    this.#file = undefined;
    if (file === undefined) return;
    const seconds = Math.round(performance.now() - this.#startedMs) / 1000;
    try {
      if (read(this.#path)?.run !== this.#started.run) return;
      const ended = { outcome, seconds, ...error === undefined ? {} : { error } };
      this.#replace({ ...this.#started, ended }).close();
    } catch {
      // It then looks killed, which is as much as anybody knows.
    } finally {
      file.close();
    }
  }

  /** Locked before it stands at its place: nobody finds it there without its lock. */
  #replace(record: Written): Deno.FsFile {
    const path = `${this.#path}.${this.#started.run}`;
    const file = Deno.openSync(path, { createNew: true, read: true, write: true });
    try {
      file.lockSync(true);
      file.writeSync(new TextEncoder().encode(`${JSON.stringify(record)}\n`));
      Deno.renameSync(path, this.#path);
      return file;
    } catch (thrown) {
      file.close();
      Deno.removeSync(path);
      throw thrown;
    }
  }
}

/** What is known of a job's last run; undefined where nothing is. */
export function lastRun(job: string, folder = recordsFolder): LastRun | undefined {
  try {
    const path = recordPath(job, folder);
    using file = Deno.openSync(path);
    const isAlive = !file.tryLockSync(false);
    const record = read(path);
    if (record === undefined) return undefined;
    const { startedAt, ended = { outcome: isAlive ? "running" : "killed" } as const } = record;
    return { startedAt, ...ended };
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return undefined;
    throw thrown;
  }
}

function recordPath(job: string, folder: string): string {
  return join(folder, `${job.replaceAll(":", "_")}.json`);
}

/** A file that somebody else wrote into is no record. */
function read(path: string): Written | undefined {
  try {
    const record = JSON.parse(Deno.readTextFileSync(path)) as Partial<Written> | null;
    return typeof record?.run === "string" && typeof record.startedAt === "string" ? record as Written : undefined;
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined;
    throw thrown;
  }
}
