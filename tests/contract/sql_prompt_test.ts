/** The prompt of `deno task sql`, through a pseudo terminal of `script` (util-linux). */
import assert from "node:assert/strict";
import { jobArguments, root, withNotes } from "./sql_job.ts";

const hasScript = Deno.build.os === "linux" &&
  await new Deno.Command("script", { args: ["--version"], stdout: "null", stderr: "null" }).output()
    .then(({ success }) => success, () => false);

/** What stands on the screen, and hands that type. */
class Terminal implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<void>;
  #screen = "";
  /** Where the next text is looked for. */
  #seen = 0;

  constructor(args: readonly string[]) {
    const command = [Deno.execPath(), ...jobArguments, ...args].join(" ");
    this.#child = new Deno.Command("script", {
      args: ["-qefc", command, "/dev/null"],
      cwd: root,
      env: { NO_COLOR: "1", TERM: "xterm" },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#reading = this.#read();
  }

  async #read(): Promise<void> {
    // deno-lint-ignore no-control-regex
    const moves = /\x1b\[[0-9;]*[A-Za-z]/g;
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      this.#screen = (this.#screen + text).replaceAll(moves, "");
    }
  }

  /** Types keys, and waits until the screen goes on with a text. */
  async type(keys: string, expected: RegExp): Promise<void> {
    await this.#writer.write(new TextEncoder().encode(keys));
    await this.expect(expected);
  }

  async expect(expected: RegExp): Promise<void> {
    const untilMs = performance.now() + 30_000;
    while (performance.now() < untilMs) {
      const found = expected.exec(this.#screen.slice(this.#seen));
      if (found !== null) {
        this.#seen += found.index + found[0].length;
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.fail(`${expected} did not come; the screen: ${this.#screen}`);
  }

  async ended(): Promise<number> {
    return (await this.#child.status).code;
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

Deno.test({
  name: "the prompt takes statements of several lines, completes, shows tables, gives up by Ctrl-C and ends by Ctrl-D",
  ignore: !hasScript,
  fn: () =>
    withNotes(async (lake) => {
      await using terminal = new Terminal(["--lake", lake]);
      await terminal.expect(/1 table; \.help[\s\S]*weir> /);
      await terminal.type("SELECT count(*) AS n\r", /\.\.\. /);
      await terminal.type("FROM desk.notes;\r", /\n *2\r\n1 row\r\n[\s\S]*weir> /);
      await terminal.type(".tables\r", /desk\.notes +iceberg +paimon, delta[\s\S]*weir> /);
      await terminal.type(".des", /\.des/);
      await terminal.type("\t", /cribe/);
      await terminal.type(" desk.notes\r", /stars +INTEGER[\s\S]*weir> /);
      await terminal.type("SELECT embedding_mo", /embedding_mo/);
      await terminal.type("\t", /del/);
      await terminal.type("\x03", /\^C\r\nweir> /);
      await terminal.type("SELECT (\r", /\.\.\. /);
      await terminal.type("\x03", /\^C\r\nweir> /);
      await terminal.type("SELCT 1;\r", /error: syntax error[\s\S]*what to do[\s\S]*weir> /);
      await terminal.type("SELECT sum(sqrt(a.range * b.range)) FROM range(1000000) a, range(1000000) b;\r", /b;\s/);
      await new Promise((resolve) => setTimeout(resolve, 500));
      await terminal.type("\x03", /the query was interrupted[\s\S]*weir> /);
      await terminal.type(".format json\r", /weir> /);
      await terminal.type("SELECT 7 AS seven;\r", /\{"seven":7\}[\s\S]*weir> /);
      await terminal.type("\x1b[A", /SELECT 7 AS seven;/);
      await terminal.type("\r", /\{"seven":7\}[\s\S]*weir> /);
      await terminal.type("\x04", /\n/);
      assert.equal(await terminal.ended(), 0);
    }),
});
