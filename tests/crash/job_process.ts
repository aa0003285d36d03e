/** A job as a process of its own: started, watched, told to stop, and what it said and how it ended. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const configuration = fileURLToPath(new URL("../../deno.json", import.meta.url));

/** What to start. */
export interface JobCommand {
  readonly script: URL;
  readonly args: readonly string[];
  /** Working directory: run-time state lies below it. */
  readonly folder: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Whether nobody reads what it says, as behind `| head`. Default false. */
  readonly unread?: boolean;
}

/** How a job ended. */
export interface JobEnd {
  readonly status: Deno.CommandStatus;
  /** Standard output. */
  readonly output: string;
  /** Standard error. */
  readonly log: string;
}

/** A running job. */
export class JobProcess {
  readonly ended: Promise<JobEnd>;
  readonly #process: Deno.ChildProcess;
  readonly #waiting: { readonly pattern: RegExp; readonly found: () => void }[] = [];
  #log = "";

  constructor({ script, args, folder, environment = {}, unread = false }: JobCommand) {
    const command = new Deno.Command(Deno.execPath(), {
      args: ["run", "-q", "-A", "--config", configuration, script.href, ...args],
      cwd: folder,
      env: { NO_COLOR: "1", ...environment },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
    this.#process = command.spawn();
    this.ended = unread ? this.#finishUnread() : this.#finish(this.#readLog());
  }

  /** Number of the process. */
  get pid(): number {
    return this.#process.pid;
  }

  /** Resolves once the job's log has the pattern; rejects when it ends without. */
  async until(pattern: RegExp): Promise<void> {
    if (pattern.test(this.#log)) return;
    const found = new Promise<void>((resolve) => this.#waiting.push({ pattern, found: resolve }));
    const ended = this.ended.then(() => assert.match(this.#log, pattern));
    await Promise.race([found, ended]);
  }

  /** Of a job that has ended already, its end says what happened. */
  kill(signal: Deno.Signal): void {
    try {
      this.#process.kill(signal);
    } catch (thrown) {
      if (!(thrown instanceof TypeError)) throw thrown;
    }
  }

  async #finish(log: Promise<void>): Promise<JobEnd> {
    const output = await new Response(this.#process.stdout).text();
    const status = await this.#process.status;
    await log;
    return { status, output, log: this.#log };
  }

  async #finishUnread(): Promise<JobEnd> {
    await Promise.all([this.#process.stdout.cancel(), this.#process.stderr.cancel()]);
    return { status: await this.#process.status, output: "", log: "" };
  }

  async #readLog(): Promise<void> {
    for await (const text of this.#process.stderr.pipeThrough(new TextDecoderStream())) {
      this.#log += text;
      for (const { pattern, found } of this.#waiting) if (pattern.test(this.#log)) found();
    }
  }
}
