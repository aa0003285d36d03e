/** The tables that contracts and patterns name, and what stands in the way of capturing them. */
import type { Dataset } from "../../dataset/dataset.ts";
import { identifier } from "../../engine/quote.ts";
import { nearest } from "../../settings/nearest.ts";
import { type CatalogueTable, patternExpression, tablesByName, tablesByPattern } from "./catalogue.ts";
import type { PostgresConnection } from "./connection.ts";
import { completeDataset, inferDataset, type Problem, qualifiedName, tableProblems } from "./source_table.ts";

/** A table and its contract. */
export interface CaptureTable {
  readonly table: CatalogueTable;
  readonly dataset: Dataset;
  /** Whether somebody declared it, rather than that it was inferred. */
  readonly isDeclared: boolean;
}

/** What {@linkcode findTables} looks for. */
export interface TableSearch {
  readonly connection: PostgresConnection;
  readonly datasets?: readonly Dataset[];
  readonly tables?: readonly string[];
  /** Whose privileges count. */
  readonly user: string;
  /** Whether the publication sends stored generated columns. */
  readonly generatedColumns: boolean;
}

/** What was found. */
export interface FoundTables {
  readonly tables: readonly CaptureTable[];
  readonly problems: readonly Problem[];
}

interface FoundTable extends CaptureTable {
  /** The contract as it was declared. */
  readonly declared?: Dataset;
  /** Named in full, not by a pattern that others match too. */
  readonly isNamed: boolean;
}

/** A table with the columns that the stream sends: a generated one only where it is stored and the publication says so. */
export function publishedTable(table: CatalogueTable, generatedColumns: boolean): CatalogueTable {
  const columns = table.columns.filter(({ generated }) => generated === "" || (generated === "s" && generatedColumns));
  return { ...table, columns };
}

/** Finds tables. Table partitions that only a pattern matches are left out beside a table that they belong to. */
export async function findTables(search: TableSearch): Promise<FoundTables> {
  const declared = await declaredTables(search);
  const inferred = await inferredTables(search, new Set(declared.tables.map(({ table }) => table.oid)));
  const all = [...declared.tables, ...inferred.tables];
  const oids = new Map(all.map(({ table }) => [table.oid, table]));
  const rootOf = ({ table }: FoundTable) =>
    table.ancestors.map((oid) => oids.get(oid)).find((root) => root !== undefined);
  const tables = all.filter((found) => found.isNamed || rootOf(found) === undefined);
  const problems = tables.flatMap((found): readonly Problem[] => {
    const root = rootOf(found);
    const own = tableProblems(found.table, { user: search.user, declared: found.declared });
    if (root === undefined) return own;
    return [...own, {
      problem: `${qualifiedName(found.table)} is a table partition of ${
        qualifiedName(root)
      }, which is captured with all of its partitions`,
      remedy: "name one of the two",
    }];
  });
  return { tables, problems: [...declared.problems, ...inferred.problems, ...problems, ...sameNames(tables)] };
}

async function declaredTables(
  { connection, datasets = [], generatedColumns }: TableSearch,
): Promise<{ readonly tables: readonly FoundTable[]; readonly problems: readonly Problem[] }> {
  const named = await tablesByName(connection, datasets.map((dataset) => dataset.source));
  const problems: Problem[] = [];
  const tables: FoundTable[] = [];
  for (const declared of datasets) {
    const { namespace, table: name } = declared.source;
    const found = named.find((table) => table.namespace === namespace && table.name === name);
    if (found === undefined) {
      problems.push({ problem: `there is no table ${namespace}.${name}`, remedy: "create it" });
      continue;
    }
    const table = publishedTable(found, generatedColumns);
    tables.push({ table, dataset: completeDataset(declared, table), declared, isDeclared: true, isNamed: true });
  }
  return { tables, problems };
}

async function inferredTables(
  { connection, tables: patterns = [], generatedColumns }: TableSearch,
  declared: ReadonlySet<number>,
): Promise<{ readonly tables: readonly FoundTable[]; readonly problems: readonly Problem[] }> {
  const problems: Problem[] = [];
  const tables = new Map<number, FoundTable>();
  for (const pattern of patterns) {
    const matching = await tablesByPattern(connection, [pattern]);
    if (matching.length === 0) problems.push(await noMatch(connection, pattern));
    for (const found of matching) {
      if (declared.has(found.oid)) continue;
      const table = publishedTable(found, generatedColumns);
      const isNamed = !/[*?]/.test(pattern) || tables.get(found.oid)?.isNamed === true;
      tables.set(found.oid, { table, dataset: inferDataset(table), isDeclared: false, isNamed });
    }
  }
  return { tables: [...tables.values()], problems };
}

/** What a relation is that is no table, and what to do instead. */
const otherKinds: Readonly<Record<string, readonly [kind: string, remedy: string]>> = {
  v: ["a view, and views send no changes", "name the tables that it reads"],
  m: ["a materialized view, and those send no changes", "name the tables that it reads"],
  f: ["a foreign table, and those send no changes", "capture it on the server that holds its rows"],
};

/** Says what a pattern may have meant. */
async function noMatch(connection: PostgresConnection, pattern: string): Promise<Problem> {
  const near = await connection.row<{ readonly namespace: string; readonly name: string; readonly kind: string }>(
    `SELECT n.nspname AS namespace, c.relname AS name, c.relkind::text AS kind
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname || '.' || c.relname ~* $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
       AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
     ORDER BY n.nspname || '.' || c.relname ~ $1 DESC, c.relkind, 1, 2 LIMIT 1`,
    [patternExpression(pattern)],
  );
  const problem = `no table matches ${identifier(pattern)}`;
  if (near === undefined) return { problem, remedy: await nearName(connection, pattern) };
  const other = otherKinds[near.kind];
  if (other !== undefined) return { problem: `${qualifiedName(near)} is ${other[0]}`, remedy: other[1] };
  return { problem, remedy: `write it as ${near.namespace}.${near.name}: upper and lower case matter` };
}

/** What to write instead of a pattern that nothing matches. */
async function nearName(connection: PostgresConnection, pattern: string): Promise<string> {
  const tables = await tablesByPattern(connection, ["*.*"]);
  const names = tables.map(({ namespace, name }) => `${namespace}.${name}`);
  if (names.length === 0) return "create it; the database has no table that this user knows of";
  const wanted = pattern.includes(".") ? pattern : `public.${pattern}`;
  const near = nearest(wanted, names) ?? names.find((name) => name.endsWith(`.${pattern}`));
  return near === undefined ? "correct the pattern" : `did you mean ${near}?`;
}

/** A point inside a name can make two tables look like one. */
function sameNames(tables: readonly CaptureTable[]): readonly Problem[] {
  const seen = new Map<string, CatalogueTable>();
  return tables.flatMap(({ table }): Problem[] => {
    const name = `${table.namespace}.${table.name}`;
    const other = seen.get(name);
    seen.set(name, table);
    if (other === undefined) return [];
    return [{
      problem: `${qualifiedName(other)} and ${qualifiedName(table)} would both be ${name}`,
      remedy: "rename one of them, or name one of the two",
    }];
  });
}
