/** Which lake tables are held against which source tables, and which capture fills them. */
import type { Dataset } from "../../lib/dataset/dataset.ts";
import { WeirError } from "../../lib/errors.ts";
import type { TableFolder } from "../../lib/query/lake_folders.ts";
import { PostgresConnection } from "../../lib/source/postgres/connection.ts";
import type { WantedSource } from "../../lib/source/postgres/find_sources.ts";
import { readPublication } from "../../lib/source/postgres/publication.ts";
import { chosenTables, type ChosenTablesOptions, isChosen } from "./chosen_tables.ts";

/** A lake table and where its rows come from. */
export interface ComparedTable {
  readonly place: TableFolder;
  readonly source: WantedSource;
  /** Name of the slot and the publication of the job that fills the table. Undefined: no job does any more. */
  readonly capture: string | undefined;
}

/** What is asked for; beside patterns, `wanted` may hold pairs `source.table=lake.table`. */
export interface ComparedTablesOptions extends ChosenTablesOptions {
  readonly url: string;
  /** Contracts of the tables that a job declares; tables of other names are captured as they are. */
  readonly declared: readonly Dataset[];
  /** Names of captures that may fill the lake. */
  readonly captures: readonly string[];
}

/**
 * Finds the tables, in the lake's order.
 *
 * Throws `precondition` where nothing is found, or where nobody captures any of it; `connection`, `authentication`, `storage`.
 */
export async function comparedTables(options: ComparedTablesOptions): Promise<readonly ComparedTable[]> {
  const chosen = await chosenTables(options, (place) => askedSources(place, options).length > 0);
  const captured = await capturedTables(options);
  const tables = chosen.map((place): ComparedTable => {
    const sources = askedSources(place, options);
    const found = sources.flatMap((source) =>
      captureOf(source, captured).map((capture) => ({ place, source, capture }))
    );
    return found[0] ?? { place, source: sources[0]!, capture: undefined };
  });
  const [first] = tables;
  if (first === undefined || tables.some(({ capture }) => capture !== undefined)) return tables;
  throw notCaptured(first.place, { sources: askedSources(first.place, options), captures: options.captures });
}

/** As a job declares it, or else the table of the same name. */
function ownSources({ namespace, name }: TableFolder, declared: readonly Dataset[]): readonly WantedSource[] {
  const contracts = declared.filter((dataset) =>
    dataset.namespace === namespace &&
    (dataset.name === name || dataset.children?.some((child) => child.name === name))
  );
  return [
    ...contracts.map((dataset) => ({ ...dataset.source, declared: dataset })),
    { namespace, table: name },
  ];
}

function askedSources(place: TableFolder, { wanted, declared }: ComparedTablesOptions): readonly WantedSource[] {
  const lakeName = `${place.namespace}.${place.name}`;
  const pair = wanted.map((pattern) => pattern.split("=")).find(([, lake]) => lake?.trim() === lakeName);
  if (pair !== undefined) {
    const [namespace, table] = qualified(pair[0] ?? "").split(/\.(.*)/s);
    return [{ namespace: namespace ?? "", table: table ?? "" }];
  }
  const patterns = wanted.filter((pattern) => !pattern.includes("="));
  // Where pairs are named, exclusions alone ask for no other table.
  const asksForOthers = patterns.length === wanted.length || patterns.some((pattern) => !pattern.startsWith("!"));
  return asksForOthers && isChosen(lakeName, patterns) ? ownSources(place, declared) : [];
}

/** As everywhere, a name without a point is of `public`. */
function qualified(name: string): string {
  const plain = name.trim();
  return plain.includes(".") ? plain : `public.${plain}`;
}

/** `namespace.table` of what each capture publishes. */
async function capturedTables(
  { url, captures }: ComparedTablesOptions,
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const connection = await PostgresConnection.open(url);
  try {
    const captured = new Map<string, ReadonlySet<string>>();
    for (const capture of captures) {
      const publication = await readPublication(connection, capture);
      const names = publication?.tables.map(({ namespace, name }) => `${namespace}.${name}`) ?? [];
      captured.set(capture, new Set(names));
    }
    return captured;
  } finally {
    await connection.close();
  }
}

function captureOf(
  { namespace, table }: WantedSource,
  captured: ReadonlyMap<string, ReadonlySet<string>>,
): readonly string[] {
  return [...captured].filter(([, names]) => names.has(`${namespace}.${table}`)).map(([capture]) => capture);
}

function notCaptured(
  { namespace, name }: TableFolder,
  of: { readonly sources: readonly WantedSource[]; readonly captures: readonly string[] },
): WeirError {
  const names = of.sources.map((source) => `${source.namespace}.${source.table}`).join(" or ");
  return new WeirError(
    "precondition",
    `No publication ${
      of.captures.map((capture) => `"${capture}"`).join(" or ")
    } at the source has the table ${names}, ` +
      `which ${namespace}.${name} of the lake would come from`,
    {
      detail: { table: `${namespace}.${name}` },
      advice:
        "Name the slot of the job that fills the lake with --slot, this source's tables with --tables where others fill it too, " +
        "or the pair with --tables source.table=lake.table",
    },
  );
}
