/** The tables that patterns name; a pattern that begins with `!` leaves tables out, wherever it stands among the others. */
import { identifier } from "../../engine/quote.ts";
import { nearest } from "../../settings/nearest.ts";
import { type CatalogueTable, patternExpression, tablesByPattern } from "./catalogue.ts";
import type { PostgresConnection } from "./connection.ts";
import { type Problem, qualifiedName } from "./source_table.ts";

/** A table that patterns name. */
export interface MatchedTable {
  readonly table: CatalogueTable;
  /** In full, not by a pattern that others match too. */
  readonly isNamed: boolean;
}

/** What patterns name. */
export interface MatchedTables {
  readonly tables: readonly MatchedTable[];
  readonly problems: readonly Problem[];
}

/**
 * Looks up patterns (see `tablesByPattern`). Exclusions alone leave tables out of all there are. A pattern that matches
 * nothing is a problem, and so is an exclusion that names in full what is not there: its table would be captured in silence.
 */
export async function matchTables(
  connection: PostgresConnection,
  patterns: readonly string[],
): Promise<MatchedTables> {
  const exclusions = patterns.filter((pattern) => pattern.startsWith("!"));
  const given = patterns.filter((pattern) => !pattern.startsWith("!"));
  const excluded = new Map<number, CatalogueTable>();
  const tables = new Map<number, MatchedTable>();
  const problems: Problem[] = [];
  for (const pattern of exclusions) {
    const matching = await tablesByPattern(connection, [pattern.slice(1)]);
    if (matching.length === 0 && !isWild(pattern)) problems.push(...await noMatch(connection, pattern));
    for (const table of matching) excluded.set(table.oid, table);
  }
  for (const pattern of given.length === 0 && exclusions.length > 0 ? ["*.*"] : given) {
    const matching = await tablesByPattern(connection, [pattern]);
    if (matching.length === 0) problems.push(...await noMatch(connection, pattern));
    for (const table of matching) {
      tables.set(table.oid, { table, isNamed: !isWild(pattern) || tables.get(table.oid)?.isNamed === true });
    }
  }
  const kept = [...tables.values()].filter(({ table }) => !family(table).some((oid) => excluded.has(oid)));
  if (tables.size > 0 && kept.length === 0) {
    problems.push({ problem: "every table that is named is left out again", remedy: "take an exclusion (!) away" });
  }
  return { tables: kept, problems: [...problems, ...capturedAnyway([...excluded.values()], kept)] };
}

/** A table and the tables that it is a partition of: who leaves those out leaves it out. */
function family(table: CatalogueTable): readonly number[] {
  return [table.oid, ...table.ancestors];
}

/** The changes of a table partition come as those of its root. */
function capturedAnyway(excluded: readonly CatalogueTable[], kept: readonly MatchedTable[]): readonly Problem[] {
  return excluded.flatMap((table): readonly Problem[] => {
    const root = kept.find((captured) => table.ancestors.includes(captured.table.oid))?.table;
    if (root === undefined) return [];
    return [{
      problem: `${qualifiedName(table)} cannot be left out: it is a table partition of ${
        qualifiedName(root)
      }, which is captured with all of its partitions`,
      remedy: `leave out ${qualifiedName(root)} too, or neither`,
    }];
  });
}

function isWild(pattern: string): boolean {
  return /[*?]/.test(pattern);
}

/** What a relation is that is no table, and what to do instead. */
const otherKinds: Readonly<Record<string, readonly [kind: string, remedy: string]>> = {
  v: ["a view, and views send no changes", "name the tables that it reads"],
  m: ["a materialized view, and those send no changes", "name the tables that it reads"],
  f: ["a foreign table, and those send no changes", "capture it on the server that holds its rows"],
};

/** Says what a pattern may have meant. Leaving out what is never captured is no problem. */
async function noMatch(connection: PostgresConnection, pattern: string): Promise<readonly Problem[]> {
  const mark = pattern.startsWith("!") ? "!" : "";
  const wanted = pattern.slice(mark.length);
  const near = await connection.row<{ readonly namespace: string; readonly name: string; readonly kind: string }>(
    `SELECT n.nspname AS namespace, c.relname AS name, c.relkind::text AS kind
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname || '.' || c.relname ~* $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
       AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
     ORDER BY n.nspname || '.' || c.relname ~ $1 DESC, c.relkind, 1, 2 LIMIT 1`,
    [patternExpression(wanted)],
  );
  const problem = `no table matches ${identifier(pattern)}`;
  if (near === undefined) return [{ problem, remedy: await nearName(connection, wanted, mark) }];
  const other = otherKinds[near.kind];
  if (other !== undefined) {
    return mark === "" ? [{ problem: `${qualifiedName(near)} is ${other[0]}`, remedy: other[1] }] : [];
  }
  return [{ problem, remedy: `write it as ${mark}${near.namespace}.${near.name}: upper and lower case matter` }];
}

/** What to write instead of a pattern that nothing matches. */
async function nearName(connection: PostgresConnection, pattern: string, mark: string): Promise<string> {
  const tables = await tablesByPattern(connection, ["*.*"]);
  const names = tables.map(({ namespace, name }) => `${namespace}.${name}`);
  if (names.length === 0) return "create it; the database has no table that this user knows of";
  const wanted = pattern.includes(".") ? pattern : `public.${pattern}`;
  const near = nearest(wanted, names) ?? names.find((name) => name.endsWith(`.${pattern}`));
  return near === undefined ? "correct the pattern" : `did you mean ${mark}${near}?`;
}
