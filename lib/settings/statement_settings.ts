/** The settings of SQL statements: at which point the lake is read, what else they read, and what becomes of their rows. */
import { choice, integer, list, text } from "./kinds.ts";

/** The settings, under the names the jobs use. */
export const statementSettings = {
  at: text({
    flag: "at",
    help: "Point at which lake tables are read: newest, consistent (all at one source position), a time such as " +
      "2026-01-31T12:00:00Z, or a source position such as INSTANCE@OFFSET",
    defaultText: "newest",
    placeholder: "POINT",
  }),
  output: choice({
    flag: "output",
    environment: "WEIR_SQL_OUTPUT",
    help: "What rows become; auto: a table, or what the name of --out ends with",
    defaultText: "auto",
    choices: ["auto", "table", "csv", "json", "arrow", "parquet"],
  }),
  out: text({
    flag: "out",
    environment: "WEIR_SQL_OUT",
    help: "Write the rows into this file, whole or not at all, in place of printing them",
    placeholder: "FILE",
  }),
  folders: list({
    flag: "folders",
    help: "Folders whose files statements may read (read_parquet, read_csv …); without it those in data but data/state",
    placeholder: "FOLDER,…",
  }),
  sourceRows: integer({
    flag: "source-rows",
    help: "Rows of a source table that are read at most; a table with more is refused",
    defaultText: "1000000",
    minimum: 1,
    maximum: 1_000_000_000,
  }),
};
