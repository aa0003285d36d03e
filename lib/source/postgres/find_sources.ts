/** Source tables that lake tables are to be held against, and their contracts as they are now. */
import type { Dataset } from "../../dataset/dataset.ts";
import { type CatalogueTable, tablesByName } from "./catalogue.ts";
import type { PostgresConnection } from "./connection.ts";
import { type CaptureTable, publishedTable } from "./find_tables.ts";
import { assertReady } from "./preflight.ts";
import { completeDataset, inferDataset, type Problem, tableProblems } from "./source_table.ts";

/** A source table by its name; what is declared of it, if anything. */
export interface WantedSource {
  readonly namespace: string;
  readonly table: string;
  readonly declared?: Dataset;
}

/** A source table with its contract. */
export type FoundSource = CaptureTable;

/** What {@linkcode findSources} looks for. */
export interface SourceSearch {
  readonly connection: PostgresConnection;
  readonly wanted: readonly WantedSource[];
  /** Whose privileges count. */
  readonly user: string;
  /** Whether stored generated columns are captured. */
  readonly generatedColumns: boolean;
}

/** Finds tables. Throws `precondition` naming those that are not there or cannot be read whole. */
export async function findSources(search: SourceSearch): Promise<readonly FoundSource[]> {
  const named = await tablesByName(search.connection, search.wanted);
  const problems: Problem[] = [];
  const found = search.wanted.flatMap((wanted): FoundSource[] => {
    const table = named.find(({ namespace, name }) => namespace === wanted.namespace && name === wanted.table);
    if (table === undefined) {
      problems.push({
        problem: `there is no table ${wanted.namespace}.${wanted.table}`,
        remedy: "leave it out, or create it",
      });
      return [];
    }
    problems.push(...tableProblems(table, { user: search.user }));
    return [foundSource(publishedTable(table, search.generatedColumns), wanted.declared)];
  });
  assertReady(problems);
  return found;
}

function foundSource(table: CatalogueTable, declared: Dataset | undefined): FoundSource {
  const isDeclared = declared !== undefined;
  return { table, dataset: isDeclared ? completeDataset(declared, table) : inferDataset(table), isDeclared };
}
