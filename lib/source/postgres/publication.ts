/** The publication: which tables' changes the slot sends. Declared, not scripted: run twice, it is made once. */
import { identifier } from "../../engine/quote.ts";
import type { CatalogueTable } from "./catalogue.ts";
import type { PostgresConnection } from "./connection.ts";
import { type Problem, qualifiedName } from "./source_table.ts";

/** A publication as it stands. */
export interface PublicationState {
  readonly allTables: boolean;
  readonly viaRoot: boolean;
  readonly everyChange: boolean;
  readonly storedGeneratedColumns: boolean;
  readonly mayAlter: boolean;
  readonly tables: readonly PublishedTable[];
}

/** One published table. */
export interface PublishedTable {
  readonly oid: number;
  readonly namespace: string;
  readonly name: string;
  readonly filtered: boolean;
  /** Named by the publication itself, not by way of its namespace or of all tables. */
  readonly listed: boolean;
}

/** What has to be done so that a publication covers tables. */
export interface PublicationPlan {
  readonly statements: readonly string[];
  readonly problems: readonly Problem[];
}

/** PostgreSQL 18 can publish stored generated columns; before it they never are. */
export const generatedColumnsVersion = 180_000;

interface PublicationRow {
  readonly publication: Readonly<Record<string, unknown>>;
  readonly may_alter: boolean;
}

/** Reads a publication; undefined where there is none. Fields are read as JSON, for versions differ in columns. */
export async function readPublication(
  connection: PostgresConnection,
  name: string,
): Promise<PublicationState | undefined> {
  const row = await connection.row<PublicationRow>(
    `SELECT to_json(p) AS publication, pg_has_role(p.pubowner, 'USAGE') AS may_alter
     FROM pg_publication p WHERE p.pubname = $1`,
    [name],
  );
  if (row === undefined) return undefined;
  const tables = await connection.rows<PublishedTable>(
    `SELECT c.oid::int8::float8 AS oid, t.schemaname AS namespace, t.tablename AS name,
       (to_jsonb(t) ->> 'rowfilter') IS NOT NULL OR EXISTS (
         SELECT FROM pg_publication_rel r WHERE r.prpubid = p.oid AND r.prrelid = c.oid
           AND (to_jsonb(r) ->> 'prattrs') IS NOT NULL) AS filtered,
       EXISTS (SELECT FROM pg_publication_rel r WHERE r.prpubid = p.oid AND r.prrelid = c.oid) AS listed
     FROM pg_publication_tables t JOIN pg_publication p ON p.pubname = t.pubname
     JOIN pg_namespace n ON n.nspname = t.schemaname JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.tablename
     WHERE t.pubname = $1`,
    [name],
  );
  const { publication } = row;
  const flag = (field: string) => publication[field] === true;
  return {
    allTables: flag("puballtables"),
    viaRoot: flag("pubviaroot"),
    everyChange: ["pubinsert", "pubupdate", "pubdelete", "pubtruncate"].every(flag),
    storedGeneratedColumns: publication["pubgencols"] === "s",
    mayAlter: row.may_alter,
    tables,
  };
}

/** Tables that a publication names and that are not captured: their changes would be sent for nothing. */
export function leftOutOf(
  state: PublicationState | undefined,
  tables: readonly CatalogueTable[],
): readonly PublishedTable[] {
  return state?.tables.filter((table) => table.listed && !isAmong(tables, table)) ?? [];
}

function isAmong(tables: readonly CatalogueTable[], { namespace, name }: PublishedTable): boolean {
  return tables.some((table) => table.namespace === namespace && table.name === name);
}

/**
 * Plans the way from what is there to a publication of these tables, and of no others: a table's place in it stands for changes
 * that are captured.
 */
export function planPublication(
  name: string,
  wanted: {
    readonly tables: readonly CatalogueTable[];
    readonly state: PublicationState | undefined;
    readonly serverVersion: number;
    readonly mayCreate: boolean;
  },
): PublicationPlan {
  const { tables, state } = wanted;
  const quoted = identifier(name);
  if (state === undefined) {
    const generated = wanted.serverVersion >= generatedColumnsVersion ? ", publish_generated_columns = stored" : "";
    const statement = `CREATE PUBLICATION ${quoted} FOR TABLE ${tables.map(publishedName).join(", ")} ` +
      `WITH (publish_via_partition_root = true${generated})`;
    return permitted([statement], tables, wanted.mayCreate);
  }
  const statements: string[] = [];
  const has = (table: CatalogueTable) =>
    state.tables.find((published) => published.namespace === table.namespace && published.name === table.name);
  const added = tables.filter((table) => has(table) === undefined);
  if (!state.viaRoot && tables.some((table) => table.kind === "p")) {
    statements.push(`ALTER PUBLICATION ${quoted} SET (publish_via_partition_root = true)`);
  }
  if (!state.everyChange) {
    statements.push(`ALTER PUBLICATION ${quoted} SET (publish = 'insert, update, delete, truncate')`);
  }
  const missing = state.allTables ? [] : added;
  if (missing.length > 0) {
    statements.push(`ALTER PUBLICATION ${quoted} ADD TABLE ${missing.map(publishedName).join(", ")}`);
  }
  const needed = permitted(statements, missing, state.mayAlter);
  const dropped = state.mayAlter ? leftOutOf(state, tables) : [];
  const plan = dropped.length === 0 ? needed : {
    ...needed,
    statements: [
      ...needed.statements,
      `ALTER PUBLICATION ${quoted} DROP TABLE ONLY ${dropped.map(qualifiedName).join(", ONLY ")}`,
    ],
  };
  const filtered = tables.filter((table) => has(table)?.filtered).map((table) => ({
    problem: `publication ${quoted} leaves out rows or columns of ${qualifiedName(table)}`,
    remedy: `ALTER PUBLICATION ${quoted} DROP TABLE ${qualifiedName(table)}`,
  }));
  return { ...plan, problems: [...plan.problems, ...filtered, ...sentAsOthers(quoted, tables, state)] };
}

/** Changes of a table partition are sent as those of the published table that it belongs to. */
function sentAsOthers(
  publication: string,
  tables: readonly CatalogueTable[],
  state: PublicationState,
): readonly Problem[] {
  return tables.flatMap((table): Problem[] => {
    const root = state.tables.find((published) => table.ancestors.includes(published.oid));
    if (root === undefined) return [];
    return [{
      problem: `publication ${publication} sends the changes of ${qualifiedName(table)} as those of ${
        qualifiedName(root)
      }`,
      remedy: `ALTER PUBLICATION ${publication} DROP TABLE ${qualifiedName(root)}`,
    }];
  });
}

/** Tables that inherit from an ordinary table are tables of their own. */
function publishedName(table: CatalogueTable): string {
  return table.kind === "r" ? `ONLY ${qualifiedName(table)}` : qualifiedName(table);
}

function permitted(
  statements: readonly string[],
  added: readonly CatalogueTable[],
  mayChange: boolean,
): PublicationPlan {
  const allowed = statements.length === 0 || (mayChange && added.every((table) => table.mayAlter));
  const problems = allowed ? [] : statements.map((statement) => ({
    problem: "this user may not publish the tables",
    remedy: `${statement} -- as their owner`,
  }));
  return { statements, problems };
}
