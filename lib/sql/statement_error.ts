/** What DuckDB says of a statement, with the place in it. */
import { WeirError } from "../errors.ts";

const shownCharacters = 80;

/** Kinds of errors about the statement itself: they speak of it and of names alone, never of rows. */
const aboutNames = /^(?:Parser|Binder|Catalog|Permission|Not implemented) Error$/;

/** A source table without its namespace looks like one of a namespace `source`. */
const sourceName = /schema "source" does not exist/i;

const advices: Readonly<Record<string, string>> = {
  "Parser Error": "Correct the statement at the place shown",
  "Catalog Error": "Ask for one that there is: .tables lists the tables at the prompt, SHOW ALL TABLES in a statement",
  "Binder Error": "Ask for a column or function that there is: DESCRIBE namespace.table lists the columns",
  "Conversion Error": "Use TRY_CAST for values that may have another form: it gives NULL for them",
  "Permission Error": "Name folders whose files statements may read with --folders",
};

/**
 * Anything thrown while a statement ran, as an error for its author: what DuckDB says, and where in the statement. Values of rows are
 * not repeated: a quoted text that does not stand in the statement is left out, unless the error is about names.
 */
export function statementError(thrown: unknown, statement: string): unknown {
  if (thrown instanceof WeirError) return thrown;
  const text = (thrown instanceof Error ? thrown.message : String(thrown)).replace(/^Failed to \w+ statements?: /, "");
  if (thrown instanceof TypeError && /^Cannot run/.test(text)) {
    const advice = /\bPIVOT\b/i.test(statement)
      ? "Name the values that become columns: PIVOT … ON column IN (…)"
      : "Give one SELECT, or another that only reads";
    return new WeirError("configuration", text, { cause: thrown, advice });
  }
  const [, kind, said] = /^((?:\w+ )+Error): ([\s\S]*)$/.exec(text) ?? [];
  if (kind === undefined || said === undefined) return thrown;
  if (kind === "INTERRUPT Error") return interrupted(thrown);
  const { message, place } = partsOf(said);
  const found = place === undefined ? undefined : placeIn(statement, place);
  const advice = sourceName.test(said) ? "Write source.NAMESPACE.TABLE, such as source.public.accounts" : advices[kind];
  const words = aboutNames.test(kind) ? message : withoutValues(message, statement);
  const where = found === undefined ? "" : ` (line ${found.line}, column ${found.column})`;
  return new WeirError("configuration", `${words}${where}`, {
    cause: thrown,
    advice: advice ?? "Correct the statement",
    ...(found === undefined ? {} : { detail: { statement: found.excerpt } }),
  });
}

/** What a query ends with that was not to go on. */
export function interrupted(thrown: unknown): WeirError {
  return new WeirError("interrupted", "the query was interrupted", { cause: thrown, advice: "Ask again" });
}

interface NamedPlace {
  readonly line: number;
  /** The line as DuckDB shows it, cut at both ends where it is long. */
  readonly shown: string;
  /** Of the caret below it. */
  readonly offset: number;
}

function partsOf(said: string): { readonly message: string; readonly place?: NamedPlace } {
  const [whole, title, line, shown, caret] = /\n+(LINE (\d+): )(.*)\n( *)\^\s*$/.exec(said) ?? [];
  const message = (whole === undefined ? said : said.slice(0, -whole.length)).trim().replace(/\s*\n\s*/g, ". ")
    .replace(/([.!?])\. /g, "$1 ");
  if (title === undefined || shown === undefined || caret === undefined) return { message };
  return { message, place: { line: Number(line), shown, offset: caret.length - title.length } };
}

interface FoundPlace {
  readonly line: number;
  readonly column: number;
  /** That line of the statement and a caret under the place. */
  readonly excerpt: string;
}

/** DuckDB shows a long line from its middle on: where that stands in the statement is looked for. */
function placeIn(statement: string, { line, shown, offset }: NamedPlace): FoundPlace | undefined {
  const whole = statement.split("\n")[line - 1];
  if (whole === undefined) return undefined;
  const core = shown.replace(/^\.\.\./, "").replace(/\.\.\.$/, "");
  const cut = shown.startsWith("...") && !whole.startsWith("...") ? 3 : 0;
  const from = whole.indexOf(core);
  // What was wrapped around the statement is not its author's.
  if (from === -1) return undefined;
  const column = Math.min(from + offset - cut, whole.length);
  const start = Math.max(0, Math.min(column - shownCharacters / 2, whole.length - shownCharacters));
  const part = whole.slice(start, start + shownCharacters).replaceAll("\t", " ");
  return { line, column: column + 1, excerpt: `${part}\n${" ".repeat(column - start)}^` };
}

function withoutValues(message: string, statement: string): string {
  return message.replace(/'([^']*)'|"([^"]*)"/g, (quoted, single?: string, double?: string) => {
    const value = single ?? double ?? "";
    return statement.includes(value) ? quoted : quoted[0] + "…" + quoted[0];
  });
}
