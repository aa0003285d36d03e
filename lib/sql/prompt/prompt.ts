/**
 * Asking at a terminal: statements of several lines, commands, completion and history.
 *
 * Promise: a wrong statement never ends it. Ctrl-C gives up the line, or the query that runs; Ctrl-D ends.
 */
import process from "node:process";
import { createInterface, type Interface } from "node:readline";
import type { SqlSession } from "../session.ts";
import { printedColumns } from "../../cli/terminal_size.ts";
import { findStatements, isBlank, isCommand } from "../statement_text.ts";
import { readCommand, type ShownFormat } from "./commands.ts";
import { complete } from "./completion.ts";
import type { PromptHistory } from "./history.ts";

/** What a prompt works with. */
export interface PromptOptions {
  readonly session: SqlSession;
  readonly history: PromptHistory;
  /** Ends it from outside. */
  readonly signal: AbortSignal;
  readonly format: ShownFormat;
  readonly print: (text: string) => void;
  /** Runs a statement and shows its rows. What it throws is told, not thrown on. */
  readonly answer: (
    statement: string,
    shown: { readonly format: ShownFormat; readonly signal: AbortSignal },
  ) => Promise<void>;
  readonly tellError: (thrown: unknown) => void;
}

const firstPrompt = "weir> ";
const nextPrompt = "  ... ";

/** Asks until the user ends it. Returns how many statements were run. */
export async function runPrompt(options: PromptOptions): Promise<number> {
  const prompt = new Prompt(options, await options.history.entries());
  return await prompt.run();
}

class Prompt {
  readonly #options: PromptOptions;
  readonly #lines: Interface;
  #format: ShownFormat;
  /** Lines of a statement that has not ended yet. */
  #before = "";
  #running: AbortController | undefined;
  #statements = 0;

  constructor(options: PromptOptions, history: readonly string[]) {
    this.#options = options;
    this.#format = options.format;
    this.#lines = createInterface({
      input: process.stdin,
      output: process.stdout,
      terminal: true,
      history: [...history],
      historySize: 1000,
      removeHistoryDuplicates: true,
      completer: (line: string, done: (error: Error | null, result: [string[], string]) => void) => {
        complete(options.session, { before: this.#before, line })
          .then(([words, replaced]) => done(null, [[...words], replaced]), () => done(null, [[], line]));
      },
    });
  }

  async run(): Promise<number> {
    const lines = this.#lines;
    let ended = () => {};
    const end = new Promise<void>((resolve) => ended = resolve);
    const stop = () => lines.close();
    this.#options.signal.addEventListener("abort", stop);
    let work = Promise.resolve();
    lines.on("line", (line) => {
      work = work.then(() => this.#take(line)).catch(this.#options.tellError).then(() => this.#ask());
    });
    lines.on("SIGINT", () => this.#giveUp());
    lines.on("close", () => ended());
    this.#ask();
    await end;
    this.#running?.abort();
    await work;
    this.#options.print("");
    this.#options.signal.removeEventListener("abort", stop);
    return this.#statements;
  }

  #ask(): void {
    if (this.#isClosed) return;
    this.#lines.setPrompt(this.#before === "" ? firstPrompt : nextPrompt);
    this.#lines.prompt();
  }

  get #isClosed(): boolean {
    return (this.#lines as unknown as { readonly closed: boolean }).closed;
  }

  #giveUp(): void {
    if (this.#running !== undefined) {
      this.#running.abort();
      return;
    }
    this.#before = "";
    this.#options.print("^C");
    Object.assign(this.#lines, { line: "", cursor: 0 });
    this.#ask();
  }

  async #take(line: string): Promise<void> {
    const { statements, rest } = findStatements(`${this.#before}${line}\n`);
    this.#before = isBlank(rest) ? "" : rest;
    for (const statement of statements) {
      await this.#options.history.add(isCommand(statement) ? statement : `${statement.replace(/^\n+/, "")};`);
      await (isCommand(statement) ? this.#command(statement) : this.#run(statement));
    }
  }

  async #command(line: string): Promise<void> {
    const command = readCommand(line, { tables: this.#options.session.tables, cells: printedColumns() });
    if (command.kind === "quit") this.#lines.close();
    else if (command.kind === "format") this.#format = command.format;
    else if (command.kind === "show") this.#options.print(command.text);
    else await this.#run(command.statement);
  }

  async #run(statement: string): Promise<void> {
    this.#statements++;
    const running = this.#running = new AbortController();
    try {
      await this.#options.answer(statement, { format: this.#format, signal: running.signal });
    } finally {
      this.#running = undefined;
    }
  }
}
