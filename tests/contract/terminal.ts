/** A pseudo terminal, made by `script` (util-linux), with somebody who types and reads. */
import assert from "node:assert/strict";

/** Whether there is one on this machine. */
export const hasTerminal: boolean = Deno.build.os === "linux" &&
  await new Deno.Command("script", { args: ["--version"], stdout: "null", stderr: "null" }).output()
    .then(({ success }) => success, () => false);

/** How it is set up. */
export interface TerminalOptions {
  /** Where Deno runs in it. */
  readonly folder: string;
  /** Default: 80 x 24. */
  readonly size?: { readonly columns: number; readonly rows: number };
  readonly environment?: Readonly<Record<string, string>>;
}

/** Deno running in a terminal, until it ends or this is disposed. */
export class Terminal implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<void>;
  #written = "";
  /** The same without what moves the cursor. */
  #text = "";
  /** Where the next text is looked for. */
  #seen = 0;

  /** @param args Of Deno. */
  constructor(args: readonly string[], { folder, size = { columns: 80, rows: 24 }, environment }: TerminalOptions) {
    const words = [Deno.execPath(), ...args].map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
    const command = `stty cols ${size.columns} rows ${size.rows}; exec ${words.join(" ")}`;
    this.#child = new Deno.Command("script", {
      args: ["-qefc", command, "/dev/null"],
      cwd: folder,
      env: { NO_COLOR: "1", TERM: "xterm", ...environment },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#reading = this.#read();
  }

  /** Everything that was written to it. */
  get written(): string {
    return this.#written;
  }

  async #read(): Promise<void> {
    // deno-lint-ignore no-control-regex
    const moves = /\x1b\[\??[0-9;]*[A-Za-z]/g;
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      this.#written += text;
      this.#text = (this.#text + text).replaceAll(moves, "");
    }
  }

  /** Types keys, and waits until a text comes. Gives it. */
  async type(keys: string, expected: RegExp): Promise<string> {
    await this.press(keys);
    return await this.expect(expected);
  }

  /** Types keys. */
  async press(keys: string): Promise<void> {
    await this.#writer.write(new TextEncoder().encode(keys));
  }

  /** Waits until a text comes behind what was waited for before. Gives it. */
  async expect(expected: RegExp): Promise<string> {
    const untilMs = performance.now() + 30_000;
    while (performance.now() < untilMs) {
      const found = expected.exec(this.#text.slice(this.#seen));
      if (found !== null) {
        this.#seen += found.index + found[0].length;
        return found[0];
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.fail(`${expected} did not come; the screen: ${this.#text}`);
  }

  /** Waits for the end, and says the exit code. */
  async ended(): Promise<number> {
    const { code } = await this.#child.status;
    await this.#reading;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close().catch(() => {});
    try {
      this.#child.kill();
    } catch {
      // It has ended.
    }
    await this.#reading;
    await this.#child.status;
  }
}
