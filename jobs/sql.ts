/** Lake tables, files and source tables asked in SQL. */
import { declareJob, runJob } from "../lib/cli/run_job.ts";
import { WeirError } from "../lib/errors.ts";
import { askStatements } from "./wiring/sql/asking.ts";
import { runStatements, writtenText } from "./wiring/sql/given_statements.ts";
import { openStatementLake } from "./wiring/sql/statement_lake.ts";
import { outputOf } from "./wiring/sql/statement_output.ts";
import { statementSettings } from "./wiring/sql/statement_settings.ts";

export const job = declareJob({
  name: "sql",
  summary: "Ask lake tables, files and tables of the source database in SQL; nothing is written but the file of --out",
  operand: {
    placeholder: "STATEMENT",
    help:
      "What is asked, such as SELECT * FROM payments.transactions LIMIT 5; without it a prompt, or the statements " +
      "of standard input where that is no terminal",
  },
  stops: "once the query has given up",
  settings: statementSettings,
  main: async ({ settings, operand, signal, progress, writeRows, print }) => {
    if (settings.out === undefined && Deno.args.includes("--json")) {
      throw new WeirError("configuration", "--json tells what became of a file, and there is none", {
        advice: "Give --output json for rows as JSON, or --out FILE too",
      });
    }
    const output = await outputOf(settings);
    await using lake = await openStatementLake(settings, { progress });
    const { session, workFolder } = lake;
    if (operand === undefined && Deno.stdin.isTerminal() && Deno.stdout.isTerminal()) {
      return await askStatements(session, { output: { ...output, write: writeRows }, signal, print });
    }
    const outcome = await runStatements(session, operand, {
      output: { ...output, write: writeRows, workFolder },
      signal,
    });
    if (outcome.out !== undefined) print(writtenText(outcome.rows, settings.out ?? outcome.out));
    return outcome;
  },
});

if (import.meta.main) await runJob(job);
