/**
 * Tables of the source database beside those of the lake: `source.public.accounts` in a statement is copied when the statement runs.
 *
 * Promise: all tables of one statement are read in one transaction that cannot write, in the types that a capture gives them. A table of
 * more rows than the bound is refused, for part of it would be a wrong answer.
 */
import { join } from "node:path";
import { spoolCopyOptions } from "../change/spool_format.ts";
import type { SpoolColumn, SpoolSegment } from "../change/micro_batch.ts";
import { formatCount } from "../cli/format.ts";
import type { Connection } from "../engine/connection.ts";
import { identifier } from "../engine/quote.ts";
import { WeirError } from "../errors.ts";
import { readCsv, refusedSql } from "../fold/spool_reader.ts";
import { nearest } from "../settings/nearest.ts";
import { type CatalogueTable, tablesByName } from "../source/postgres/catalogue.ts";
import { PostgresConnection } from "../source/postgres/connection.ts";
import { qualifiedName } from "../source/postgres/source_table.ts";
import { lakeType } from "../source/postgres/source_type.ts";
import { spoolColumn } from "../source/postgres/special_values.ts";
import { BufferedFile } from "./buffered_file.ts";
import type { NamedTable, StatementParts } from "../notebook/statement_parts.ts";

/** The catalog's name in statements. */
const catalog = "source";

/** How source tables are had. */
export interface SourceTablesOptions {
  /** Connection string of the server; asked for when a statement first names a source table. */
  readonly url: () => Promise<string>;
  /** Absolute; the engine reads it. */
  readonly folder: string;
  /** Rows of one table, at most. */
  readonly mostRows: number;
  /** Says something that the user should know. */
  readonly note: (text: string) => void;
}

/** Makes source tables there for statements. */
export class SourceTables {
  readonly #options: SourceTablesOptions;

  constructor(options: SourceTablesOptions) {
    this.#options = options;
  }

  /**
   * Copies the source tables that a statement names, as they are now.
   *
   * Throws `configuration` where there is no such table or it has too many rows, `connection` and `authentication` where the server
   * cannot be asked.
   */
  async bring({ tables }: StatementParts, engine: Connection, signal: AbortSignal): Promise<void> {
    const named = tables.filter((table) => table.catalog.toLowerCase() === catalog);
    if (named.length === 0) return;
    await engine.run(`ATTACH IF NOT EXISTS ':memory:' AS ${catalog}`);
    const source = await PostgresConnection.open(await this.#options.url());
    const stop = () => source.destroy();
    signal.addEventListener("abort", stop);
    try {
      await source.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
      for (const table of unique(named)) await this.#copy(await findTable(source, table), { source, engine });
    } finally {
      signal.removeEventListener("abort", stop);
      source.destroy();
    }
  }

  async #copy(
    table: CatalogueTable,
    { source, engine }: { readonly source: PostgresConnection; readonly engine: Connection },
  ): Promise<void> {
    const path = join(this.#options.folder, `${crypto.randomUUID()}.csv`);
    try {
      const spooled = await this.#spool(source, table, path);
      const columns = table.columns.map(({ name, sourceType }) => spoolColumn(name, lakeType(sourceType)));
      const refused = await makeTable(engine, {
        table,
        segment: { ...wholeTable, ...spooled, paths: [path], columns },
      });
      if (refused === 0) return;
      const which = refused === 1 ? "1 row" : `${formatCount(refused)} rows`;
      this.#options.note(
        `in ${which} of ${nameOf(table)} values that have no like here are NULL`,
      );
    } finally {
      await Deno.remove(path).catch(() => {});
    }
  }

  async #spool(source: PostgresConnection, table: CatalogueTable, path: string): Promise<SpooledRows> {
    const { mostRows } = this.#options;
    const columns = table.columns.map(({ name }) => identifier(name)).join(", ");
    const select = `SELECT ${columns} FROM ${qualifiedName(table)} LIMIT ${mostRows + 1}`;
    using file = new BufferedFile(path);
    let [rows, longestLineBytes] = [0, 0];
    await source.copyOut(`COPY (${select}) TO STDOUT (${spoolCopyOptions})`, (row) => {
      rows++;
      longestLineBytes = Math.max(longestLineBytes, row.length);
      file.add(row);
      return undefined;
    }, { table: nameOf(table) });
    file.flush();
    if (rows <= mostRows) return { rows, longestLineBytes };
    throw new WeirError("configuration", `${nameOf(table)} of the source has more than ${formatCount(mostRows)} rows`, {
      detail: { table: nameOf(table) },
      advice: "Raise --source-rows, or ask the lake's table of it",
    });
  }
}

type SpooledRows = Pick<SpoolSegment, "rows" | "longestLineBytes">;

const wholeTable = {
  layout: "rows",
  inserts: 0,
  updates: 0,
  deletes: 0,
  keyChanges: 0,
  unchangedRows: 0,
  schemaChanges: [],
} as const;

/** Makes the table and counts rows with a value that its type cannot hold. */
async function makeTable(
  engine: Connection,
  { table, segment }: { readonly table: CatalogueTable; readonly segment: SpoolSegment },
): Promise<number> {
  const { columns } = segment;
  const target = `${catalog}.${qualifiedName(table)}`;
  const values = columns.map(({ name, sql }) => `${sql} AS ${identifier(name)}`).join(", ");
  await engine.run(`CREATE SCHEMA IF NOT EXISTS ${catalog}.${identifier(table.namespace)}`);
  const read = readCsv(segment);
  await engine.run(`CREATE OR REPLACE TABLE ${target} AS SELECT ${values} FROM ${read}`);
  const fallible = columns.filter((column: SpoolColumn) => column.fallible);
  if (fallible.length === 0) return 0;
  return Number(await engine.value(`SELECT count(*) FROM ${read} WHERE ${fallible.map(refusedSql).join(" OR ")}`));
}

/** As it is written, else in lower case: so PostgreSQL takes a name without quotes. */
async function findTable(source: PostgresConnection, { namespace, name }: NamedTable): Promise<CatalogueTable> {
  const spellings = [{ namespace, table: name }, { namespace: namespace.toLowerCase(), table: name.toLowerCase() }];
  for (const spelling of spellings) {
    const [table] = await tablesByName(source, [spelling]);
    if (table !== undefined) return table;
  }
  const known = await source.rows<{ readonly name: string }>(
    `SELECT n.nspname || '.' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'v', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
       AND n.nspname !~ '^pg_(toast|temp)' ORDER BY 1 LIMIT 1000`,
  );
  const names = known.map((row) => row.name);
  const meant = nearest(`${namespace}.${name}`, names);
  throw new WeirError("configuration", `the source database has no table ${namespace || "?"}.${name}`, {
    advice: meant === undefined
      ? `Write source.NAMESPACE.TABLE; it has ${names.slice(0, 10).join(", ") || "no tables"}`
      : `Did you mean ${catalog}.${meant}?`,
  });
}

function unique(tables: readonly NamedTable[]): readonly NamedTable[] {
  return [...new Map(tables.map((table) => [JSON.stringify([table.namespace, table.name]), table])).values()];
}

function nameOf({ namespace, name }: CatalogueTable): string {
  return `${namespace}.${name}`;
}
