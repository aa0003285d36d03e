/** Python scripts of this folder that answer one request after another: importing a reader takes longer than most readings. */
import { fileURLToPath } from "node:url";

/** A request to a script. */
export interface PythonRequest {
  readonly script: string;
  readonly args: readonly string[];
  /** Whether with the older pypaimon. Default false. */
  readonly older?: boolean;
}

/** A Python whose scripts are started when they are first asked and end with it. */
export class Python implements AsyncDisposable {
  readonly #options: { readonly program: string; readonly olderFolder: string };
  readonly #processes = new Map<string, ScriptProcess>();

  /** @param options.olderFolder Where the older pypaimon stands before the newer one. */
  constructor(options: { readonly program: string; readonly olderFolder: string }) {
    this.#options = options;
  }

  /**
   * Asks a script, one request at a time.
   *
   * @throws {Error} With the script's own words, where it fails.
   */
  async run<T>({ script, args, older = false }: PythonRequest): Promise<T> {
    const name = `${script} ${older}`;
    let process = this.#processes.get(name);
    if (process === undefined) {
      const { program, olderFolder } = this.#options;
      process = new ScriptProcess(program, { script, env: older ? { PYTHONPATH: olderFolder } : {} });
      this.#processes.set(name, process);
    }
    return await process.ask(args) as T;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const process of this.#processes.values()) await process.close();
  }
}

class ScriptProcess {
  readonly #script: string;
  readonly #child: Deno.ChildProcess;
  readonly #requests: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #answers: ReadableStreamDefaultReader<string>;
  readonly #errors: Promise<string>;
  #unread = "";

  constructor(program: string, { script, env }: { readonly script: string; readonly env: Record<string, string> }) {
    const path = fileURLToPath(new URL(script, import.meta.url));
    const pipes = { stdin: "piped", stdout: "piped", stderr: "piped" } as const;
    this.#script = script;
    // What stands beside the scripts stays as the repository has it.
    const settings = { PYTHONDONTWRITEBYTECODE: "1", ...env };
    this.#child = new Deno.Command(program, { args: [path], env: settings, ...pipes }).spawn();
    this.#requests = this.#child.stdin.getWriter();
    this.#answers = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    this.#errors = new Response(this.#child.stderr).text();
  }

  async ask(args: readonly string[]): Promise<unknown> {
    // A script that has ended says why on its standard error.
    await this.#requests.write(new TextEncoder().encode(`${JSON.stringify(args)}\n`)).catch(() => {});
    const { report, error } = JSON.parse(await this.#line()) as { report?: unknown; error?: string };
    if (error !== undefined) throw new Error(`${this.#script} failed:\n${error}`);
    return report;
  }

  async close(): Promise<void> {
    await this.#requests.close().catch(() => {});
    await this.#answers.cancel();
    await this.#errors;
    await this.#child.status;
  }

  async #line(): Promise<string> {
    while (!this.#unread.includes("\n")) {
      const { value, done } = await this.#answers.read();
      if (done) throw new Error(`${this.#script} ended:\n${await this.#errors}`);
      this.#unread += value;
    }
    const end = this.#unread.indexOf("\n");
    const line = this.#unread.slice(0, end);
    this.#unread = this.#unread.slice(end + 1);
    return line;
  }
}
