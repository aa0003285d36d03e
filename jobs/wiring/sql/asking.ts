/** The prompt of `deno task sql`. */
import { join } from "node:path";
import { errorText, presentable } from "../../../lib/cli/error_text.ts";
import { formatCount, formatSeconds } from "../../../lib/cli/format.ts";
import { explainRefusal } from "../../../lib/cli/permission.ts";
import { printedColumns } from "../../../lib/cli/terminal_size.ts";
import { WeirError } from "../../../lib/errors.ts";
import { csvBytes, jsonBytes, tableBytes } from "../../../lib/sql/output/row_bytes.ts";
import { type ShownFormat, shownFormats } from "../../../lib/sql/prompt/commands.ts";
import { PromptHistory } from "../../../lib/sql/prompt/history.ts";
import { runPrompt } from "../../../lib/sql/prompt/prompt.ts";
import type { SqlSession, StatementRows } from "../../../lib/sql/session.ts";
import { redaction } from "../../../lib/settings/redaction.ts";
import { stateFolder } from "../../../lib/settings/state_folder.ts";
import type { StatementOutput } from "./statement_output.ts";

/** Rows of a table that a terminal is given; other formats give all. */
const mostTableRows = 500;

/** What became of it. */
export interface AskingOutcome {
  readonly ok: true;
  readonly statements: number;
}

/** Asks for statements until the user ends it. Throws `configuration` where the rows were to go into a file. */
export async function askStatements(
  session: SqlSession,
  { output, signal, print }: {
    readonly output: Pick<StatementOutput, "format" | "out" | "write">;
    readonly signal: AbortSignal;
    readonly print: (text: string) => void;
  },
): Promise<AskingOutcome> {
  const format = shownFormats.find((each) => each === output.format);
  if (output.out !== undefined || format === undefined) {
    throw new WeirError("configuration", "a file takes the rows of a statement, and none is given", {
      advice: "Give the statement in quotes, or leave --out and --output away to be asked for one",
    });
  }
  const count = session.tables.length;
  print(`${formatCount(count)} ${count === 1 ? "table" : "tables"}; .help shows what can be done`);
  const statements = await runPrompt({
    session,
    history: new PromptHistory(join(stateFolder, "sql_history")),
    signal,
    format,
    print,
    answer: async (statement, { format: shown, signal: stop }) => {
      const startedMs = performance.now();
      await session.run(statement, AbortSignal.any([stop, signal]), async (rows) => {
        for await (const bytes of piecesOf(rows, shown)) {
          stop.throwIfAborted();
          if (!output.write(bytes)) return;
        }
      });
      if (shown === "table") print(formatSeconds((performance.now() - startedMs) / 1000));
    },
    tellError: (thrown) => print(errorText(presentable(explainRefusal(thrown)), redaction([]))),
  });
  return { ok: true, statements };
}

function piecesOf(rows: StatementRows, format: ShownFormat): AsyncIterable<Uint8Array> {
  if (format === "table") return tableBytes(rows, { most: mostTableRows, cells: printedColumns() });
  return format === "csv" ? csvBytes(rows) : jsonBytes(rows);
}
