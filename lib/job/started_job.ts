/**
 * A job at work in a process of its own.
 *
 * Promise: it outlives nobody. Where the program that started it ends, however that ends, the job finds within a second that nobody reads
 * what it tells, and stops as on Ctrl-C. A cell that is interrupted does not interrupt it.
 */
import { WeirError } from "../errors.ts";
import { display, type Displayed, type MediaBundle } from "../notebook/table_display.ts";
import { watch } from "../notebook/watch.ts";
import { endedWithout, readOutcome } from "./ended_job.ts";
import { jobBundle } from "./job_display.ts";
import type { JobOutcome } from "./job_outcome.ts";
import { type JobState, type JobStep, readLine } from "./job_step.ts";
import { ToldSteps } from "./told_steps.ts";

/** What is run where. */
export interface JobProcess {
  /** The words after `deno`. */
  readonly words: readonly string[];
  /** Absolute: the project's. */
  readonly folder: string;
  /** As people type it. */
  readonly command: string;
}

/** How often a job that is shown is shown anew. */
const showEveryMs = 200;

/** A job that was started: see `startJob`. Iterating gives what it tells, from its beginning on. */
export class StartedJob<Outcome extends JobOutcome = JobOutcome>
  implements AsyncIterable<JobStep>, AsyncDisposable, Displayed {
  /** As people type it in a terminal. */
  readonly command: string;
  readonly #child: Deno.ChildProcess;
  readonly #steps = new ToldSteps();
  /** What it printed for people. */
  readonly #texts: string[] = [];
  readonly #outcome: Promise<Outcome>;
  readonly #startedMs = performance.now();
  #endedMs: number | undefined;
  #isStopping = false;

  /** Starts it. */
  constructor({ words, folder, command }: JobProcess) {
    this.command = command;
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [...words],
      cwd: folder,
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      // Out of our process group: what interrupts a cell goes to all of the kernel's.
      detached: true,
    }).spawn();
    this.#outcome = this.#run();
    // Whoever asks for it is told.
    this.#outcome.catch(() => {});
  }

  /** What it ends with, once it has ended. Throws what the job says that it failed with; `interrupted` where it was stopped too early. */
  outcome(): Promise<Outcome> {
    return this.#outcome;
  }

  /** How far it is, from its beginning on, until it ends. */
  async *states(): AsyncGenerator<JobState, void> {
    for await (const step of this) {
      if ("activity" in step) yield step;
    }
  }

  [Symbol.asyncIterator](): AsyncIterator<JobStep> {
    return this.#steps[Symbol.asyncIterator]();
  }

  /** Shows in the cell what it does, until it ends. Throws as {@linkcode outcome}. */
  async show(): Promise<void> {
    const shown = this.#shownUntilEnd();
    await watch(() => shown);
    await this.#outcome;
  }

  /** Stops it as Ctrl-C does and waits for its clean end. Throws as {@linkcode outcome}. */
  async stop(): Promise<Outcome> {
    if (!this.#isStopping && this.#endedMs === undefined) {
      this.#isStopping = true;
      this.#interrupt();
    }
    return await this.#outcome;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop().catch(() => {});
  }

  /** What it has done so far. */
  [display](): MediaBundle {
    const seconds = ((this.#endedMs ?? performance.now()) - this.#startedMs) / 1000;
    const { state, notes } = this.#steps;
    const isRunning = this.#endedMs === undefined;
    return jobBundle({ command: this.command, seconds, isRunning, state, notes, texts: this.#texts });
  }

  #interrupt(): void {
    try {
      this.#child.kill("SIGINT");
    } catch (thrown) {
      // It has ended, or was killed: what it started, and what holds its output open, is in its process group.
      if (!(thrown instanceof TypeError) || Deno.build.os === "windows") throw thrown;
      try {
        Deno.kill(-this.#child.pid, "SIGINT");
      } catch (none) {
        if (!(none instanceof Deno.errors.NotFound)) throw none;
      }
    }
  }

  async #run(): Promise<Outcome> {
    const { stdout, stderr, status } = this.#child;
    const [printed, { code }] = await Promise.all([new Response(stdout).text(), status, this.#listen(stderr)]);
    this.#endedMs = performance.now();
    this.#steps.end();
    const outcome = readOutcome(printed);
    if (outcome === undefined) throw endedWithout({ command: this.command, code, notes: this.#steps.notes });
    if (outcome instanceof WeirError) throw outcome;
    return Object.defineProperty(outcome as Outcome, display, { value: () => this[display](), enumerable: false });
  }

  async #listen(stderr: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    for await (const line of lines(stderr)) {
      const told = readLine(line);
      if (told === undefined) continue;
      if ("text" in told) this.#texts.push(told.text);
      else this.#steps.add(told);
    }
  }

  async *#shownUntilEnd(): AsyncGenerator<Displayed, void> {
    let isOver = false;
    const end = this.#outcome.catch(() => {}).then(() => isOver = true);
    while (!isOver) {
      yield this;
      const timer = Promise.withResolvers<void>();
      const timeout = setTimeout(timer.resolve, showEveryMs);
      await Promise.race([end, timer.promise]);
      clearTimeout(timeout);
    }
    yield this;
  }
}

async function* lines(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string, void> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    yield* parts;
  }
  if (rest !== "") yield rest;
}
