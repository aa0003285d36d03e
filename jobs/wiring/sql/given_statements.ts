/** Statements of the command line or of standard input, one after another. */
import { formatCount } from "../../../lib/cli/format.ts";
import { printedColumns } from "../../../lib/cli/terminal_size.ts";
import { WeirError } from "../../../lib/errors.ts";
import type { SqlSession } from "../../../lib/sql/session.ts";
import { type PromptCommand, readCommand } from "../../../lib/sql/prompt/commands.ts";
import { findStatements, isBlank, isCommand } from "../../../lib/sql/statement_text.ts";
import { answer, type StatementOutput } from "./statement_output.ts";

/** What became of the statements. */
export interface StatementsOutcome {
  readonly ok: boolean;
  readonly statements: number;
  readonly rows: number;
  /** The file, where one was written. */
  readonly out?: string;
}

/** Runs what was given, or what standard input has; the first that fails ends it. Throws `configuration` where nothing is asked. */
export async function runStatements(
  session: SqlSession,
  given: string | undefined,
  { output, signal }: { readonly output: StatementOutput; readonly signal: AbortSignal },
): Promise<StatementsOutcome> {
  const { out } = output;
  let [asked, statements, rows, format] = [0, 0, 0, output.format];
  const all = given === undefined ? inputStatements(signal) : statementsOf([given]);
  for await (const statement of out === undefined ? all : onlyOne(all)) {
    asked++;
    const command = commandOf(statement, session);
    if (command.kind === "quit") break;
    else if (command.kind === "show") output.write(new TextEncoder().encode(`${command.text}\n`));
    else if (command.kind === "format") format = command.format;
    else {
      rows += await answer(session, command.statement, { output: { ...output, format }, signal });
      statements++;
    }
    // Nobody reads any more.
    if (signal.aborted) break;
  }
  if (asked === 0) {
    throw new WeirError("configuration", "nothing is asked", {
      advice: 'Give a statement in quotes, such as "SHOW ALL TABLES", or send one through a pipe',
    });
  }
  return { ok: true, statements, rows, ...(out === undefined ? {} : { out }) };
}

function commandOf(statement: string, { tables }: SqlSession): PromptCommand {
  if (!isCommand(statement)) return { kind: "ask", statement };
  return readCommand(statement, { tables, cells: printedColumns() });
}

/** A sentence on a file that was written. */
export function writtenText(rows: number, out: string): string {
  return `wrote ${formatCount(rows)} ${rows === 1 ? "row" : "rows"} to ${out}`;
}

/** One file takes the rows of one statement; that there are several has to be known before one runs. */
async function* onlyOne(statements: AsyncIterable<string>): AsyncGenerator<string, void> {
  const all = await Array.fromAsync(statements);
  if (all.length > 1) {
    throw new WeirError("configuration", "one file takes the rows of one statement, and there are several", {
      advice: "Give them one by one, each with its --out",
    });
  }
  if (all.some(isCommand)) {
    throw new WeirError("configuration", "a file takes the rows of a statement, and a command has none", {
      advice: "Give a statement, such as SHOW ALL TABLES, or leave --out away",
    });
  }
  yield* all;
}

/** Each as soon as its `;`, or the end of its line, has come. */
async function* inputStatements(signal: AbortSignal): AsyncGenerator<string, void> {
  const stream = Deno.stdin.readable.pipeThrough(new TextDecoderStream(), { signal });
  yield* statementsOf(stream);
}

async function* statementsOf(texts: AsyncIterable<string> | Iterable<string>): AsyncGenerator<string, void> {
  let text = "";
  for await (const more of texts) {
    const { statements, rest } = findStatements(text + more);
    yield* statements;
    text = rest;
  }
  if (!isBlank(text)) yield text;
}
