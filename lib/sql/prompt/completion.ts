/** What may stand next: names and keywords that DuckDB itself proposes, and the prompt's own commands. */
import { literal } from "../../engine/quote.ts";
import type { SqlSession } from "../session.ts";
import { commandNames, shownFormats } from "./commands.ts";

/** Words that may take the place of the last one, and that word. */
export type Completion = readonly [words: string[], replaced: string];

/** Completes a line of which `before` was typed on earlier lines. */
export async function complete(session: SqlSession, { before, line }: Typed): Promise<Completion> {
  return before === "" && line.startsWith(".")
    ? completeCommand(session, line)
    : await completeSql(session, { before, line });
}

/** A statement so far. */
export interface Typed {
  readonly before: string;
  readonly line: string;
}

function completeCommand({ tables }: SqlSession, line: string): Completion {
  const [, command, word] = /^(\.\w+)\s+(\S*)$/.exec(line) ?? [];
  if (command === undefined || word === undefined) return [startingWith(commandNames, line), line];
  const names = command === ".describe" ? tables.map(({ namespace, name }) => `${namespace}.${name}`) : shownFormats;
  return [startingWith(names, word), word];
}

async function completeSql(session: SqlSession, { before, line }: Typed): Promise<Completion> {
  const text = before + line;
  // Columns of tables that are named further on are asked for beside those that DuckDB knows of at this place.
  const rows = await session.rows(
    `SELECT suggestion, suggestion_start FROM sql_auto_complete(${literal(text)}) ORDER BY suggestion_score`,
  );
  const start = Math.max(Number(rows[0]?.suggestion_start ?? text.length), before.length);
  const word = text.slice(start);
  const proposed = rows.map(({ suggestion }) => String(suggestion).trimEnd()).filter((name) => name !== "");
  const columns = session.tables.flatMap((table) => table.columns.map(({ name }) => name));
  const names = word === "" ? proposed : [...proposed, ...columns];
  return [startingWith([...new Set(names)], word), word];
}

function startingWith(words: readonly string[], beginning: string): string[] {
  const lower = beginning.toLowerCase();
  return words.filter((word) => word.toLowerCase().startsWith(lower));
}
