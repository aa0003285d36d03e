/** What the prompt understands beside SQL: one line that begins with a dot. */
import { duckdbType } from "../../dataset/column_type.ts";
import { renderTable } from "../../cli/table.ts";
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

/** Reads a line that begins with a dot. */
export function readCommand(line: string, tables: readonly TableInLake[]): PromptCommand {
  const [name = "", argument = ""] = line.trim().replace(/\s*;$/, "").split(/\s+/);
  switch (name) {
    case ".tables":
      return { kind: "show", text: tablesText(tables) };
    case ".describe":
      return describe(argument, tables);
    case ".format":
      return formatCommand(argument);
    case ".help":
      return { kind: "show", text: helpLines };
    case ".quit":
    case ".exit":
      return { kind: "quit" };
  }
  const meant = nearest(name, commandNames);
  const advice = meant === undefined ? ".help shows what there is" : `did you mean ${meant}?`;
  return { kind: "show", text: `${name} is no command; ${advice}` };
}

function tablesText(tables: readonly TableInLake[]): string {
  if (tables.length === 0) return "The lake has no tables at this point.";
  const titles = tableColumns.map(([title]) => ({ title: title.replaceAll("_", " ") }));
  return renderTable(titles, tables.map((table) => tableRow(table).map((value) => String(value ?? ""))));
}

function describe(wanted: string, tables: readonly TableInLake[]): PromptCommand {
  if (wanted === "") return { kind: "show", text: "Name a table: .describe payments.transactions" };
  const table = tables.find(({ namespace, name }) => `${namespace}.${name}` === wanted || name === wanted);
  if (table === undefined) return { kind: "ask", statement: `DESCRIBE SELECT * FROM ${wanted}` };
  const rows = table.columns.map(({ name, type, nullable }) => [name, duckdbType(type), nullable ? "" : "not null"]);
  return { kind: "show", text: renderTable([{ title: "column" }, { title: "type" }, { title: "" }], rows) };
}

function formatCommand(wanted: string): PromptCommand {
  const format = shownFormats.find((each) => each === wanted);
  if (format !== undefined) return { kind: "format", format };
  return { kind: "show", text: `Give one of ${shownFormats.join(", ")}; --out FILE writes other formats` };
}
