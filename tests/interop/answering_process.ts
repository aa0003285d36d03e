/** A program that answers one request after another: a JSON value a line in, `{"report": …}` or `{"error": …}` a line out. */

/** What to start. */
export interface AnsweringProgram {
  /** For messages. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** The program while it runs. */
export class AnsweringProcess {
  readonly #name: string;
  readonly #child: Deno.ChildProcess;
  readonly #requests: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #answers: ReadableStreamDefaultReader<string>;
  readonly #errors: Promise<string>;
  #unread = "";
  /** The answer to the request before. */
  #before: Promise<unknown> = Promise.resolve();

  constructor({ name, command, args, env = {} }: AnsweringProgram) {
    const pipes = { stdin: "piped", stdout: "piped", stderr: "piped" } as const;
    this.#name = name;
    this.#child = new Deno.Command(command, { args: [...args], env, ...pipes }).spawn();
    this.#requests = this.#child.stdin.getWriter();
    this.#answers = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    this.#errors = new Response(this.#child.stderr).text();
  }

  /**
   * Asks it. It is asked one thing at a time; others wait.
   *
   * @throws {Error} With its own words, where it fails.
   */
  async ask(request: unknown): Promise<unknown> {
    const answer = this.#before.then(() => this.#exchange(request));
    this.#before = answer.catch(() => {});
    return await answer;
  }

  async #exchange(request: unknown): Promise<unknown> {
    // A program that has ended says why on its standard error.
    await this.#requests.write(new TextEncoder().encode(`${JSON.stringify(request)}\n`)).catch(() => {});
    const { report, error } = JSON.parse(await this.#line()) as { report?: unknown; error?: string };
    if (error !== undefined) throw new Error(`${this.#name} failed:\n${error}`);
    return report;
  }

  /** Waits until it has ended. */
  async close(): Promise<void> {
    await this.#requests.close().catch(() => {});
    await this.#answers.cancel();
    await this.#errors;
    await this.#child.status;
  }

  async #line(): Promise<string> {
    while (!this.#unread.includes("\n")) {
      const { value, done } = await this.#answers.read();
      if (done) throw new Error(`${this.#name} ended:\n${await this.#errors}`);
      this.#unread += value;
    }
    const end = this.#unread.indexOf("\n");
    const line = this.#unread.slice(0, end);
    this.#unread = this.#unread.slice(end + 1);
    return line;
  }
}
