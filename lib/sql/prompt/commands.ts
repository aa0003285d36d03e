/** What is understood beside SQL, at the prompt and from a pipe: one line that begins with a dot. */
import { renderFitted } from "../../cli/fitted_table.ts";
import { duckdbType } from "../../dataset/column_type.ts";
import { WeirError } from "../../errors.ts";
import { tableColumns, type TableInLake, tableRow } from "../../notebook/lake_table.ts";
import { nearest } from "../../settings/nearest.ts";

/** Forms in which the prompt shows rows. */
export const shownFormats = ["table", "csv", "json"] as const;

/** One of {@linkcode shownFormats}. */
export type ShownFormat = typeof shownFormats[number];

/** What a line asks for. */
export type PromptCommand =
  | { readonly kind: "show"; readonly text: string }
  | { readonly kind: "format"; readonly format: ShownFormat }
  /** A statement that describes something that is no table of the lake. */
  | { readonly kind: "ask"; readonly statement: string }
  | { readonly kind: "quit" };

/** Names of the commands, for completion. */
export const commandNames = [".tables", ".describe", ".format", ".help", ".quit"] as const;

const helpLines = `SQL ends with ; and may take several lines. Nothing can be written.
.tables        tables of the lake
.describe T    columns of a table
.format F      show rows as ${shownFormats.join(", ")}
.help          this text
.quit          end; Ctrl-D does too
Tab completes names and keywords. Ctrl-C gives up the line, or the query that runs.`;

/** What commands tell of, and in how many cells; as many as it takes where that is undefined. */
export interface CommandSubject {
  readonly tables: readonly TableInLake[];
  readonly cells?: number | undefined;
}

/** Reads a line that begins with a dot. Throws `configuration` where it is no command, or one that lacks something. */
export function readCommand(line: string, subject: CommandSubject): PromptCommand {
  const [name = "", argument = ""] = line.trim().replace(/\s*;$/, "").split(/\s+/);
  switch (name) {
    case ".tables":
      return { kind: "show", text: tablesText(subject) };
    case ".describe":
      return describe(argument, subject);
    case ".format":
      return formatCommand(argument);
    case ".help":
      return { kind: "show", text: helpLines };
    case ".quit":
    case ".exit":
      return { kind: "quit" };
  }
  const meant = nearest(name, commandNames);
  throw misuse(`${name} is no command`, meant === undefined ? ".help shows what there is" : `Did you mean ${meant}?`);
}

function misuse(message: string, advice: string): WeirError {
  return new WeirError("configuration", message, { advice });
}

function tablesText({ tables, cells }: CommandSubject): string {
  if (tables.length === 0) return "The lake has no tables at this point.";
  const titles = tableColumns.map(([title]) => ({ title: title.replaceAll("_", " ") }));
  return renderFitted(titles, tables.map((table) => tableRow(table).map((value) => String(value ?? ""))), cells);
}

function describe(wanted: string, { tables, cells }: CommandSubject): PromptCommand {
  if (wanted === "") throw misuse("no table is named", "Name one: .describe payments.transactions");
  const table = tables.find(({ namespace, name }) => `${namespace}.${name}` === wanted || name === wanted);
  if (table === undefined) return { kind: "ask", statement: `DESCRIBE SELECT * FROM ${wanted}` };
  const rows = table.columns.map(({ name, type, nullable }) => [name, duckdbType(type), nullable ? "" : "not null"]);
  return { kind: "show", text: renderFitted([{ title: "column" }, { title: "type" }, { title: "" }], rows, cells) };
}

function formatCommand(wanted: string): PromptCommand {
  const format = shownFormats.find((each) => each === wanted);
  if (format !== undefined) return { kind: "format", format };
  throw misuse(
    `there is no format ${wanted}`.trimEnd(),
    `Give one of ${shownFormats.join(", ")}; --out FILE writes others`,
  );
}
