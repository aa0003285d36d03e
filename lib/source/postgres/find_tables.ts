/** The tables that contracts and patterns name, and what stands in the way of capturing them. */
import type { Dataset } from "../../dataset/dataset.ts";
import { type CatalogueTable, tablesByName } from "./catalogue.ts";
import type { PostgresConnection } from "./connection.ts";
import { matchTables } from "./match_tables.ts";
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
    const own = tableProblems(found.table, { user: search.user, declared: found.declared })
      .map(({ problem, remedy }) => ({ problem, remedy: found.isNamed ? remedy : `${remedy}${orLeftOut(found)}` }));
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

/** As a comment of SQL, for a remedy is mostly a statement. */
function orLeftOut({ table }: FoundTable): string {
  return ` -- or leave it out: !${table.namespace}.${table.name}`;
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
  const matched = await matchTables(connection, patterns);
  const tables = matched.tables.filter(({ table }) => !declared.has(table.oid)).map(({ table: found, isNamed }) => {
    const table = publishedTable(found, generatedColumns);
    return { table, dataset: inferDataset(table), isDeclared: false, isNamed };
  });
  return { tables, problems: matched.problems };
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
