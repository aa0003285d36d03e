/** What a statement names, as DuckDB's own parser reads it. */
import type { Connection } from "../engine/connection.ts";
import { literal } from "../engine/quote.ts";
import { WeirError } from "../errors.ts";

/** A table as a statement names it; parts that it leaves out are empty. */
export interface NamedTable {
  readonly catalog: string;
  readonly namespace: string;
  readonly name: string;
}

/** The names. */
export interface StatementParts {
  readonly tables: readonly NamedTable[];
  /** Functions, in lower case. */
  readonly functions: readonly string[];
}

/**
 * Functions that read in form only (DuckDB 1.5.5): they write files of logs and profiles, read memory by its address, or run a text that
 * nobody has looked at.
 */
const refusedFunction = new RegExp(
  "^(?:(?:enable|disable)_\\w+|(?:force_)?checkpoint|truncate_duckdb_logs|write_log|arrow_scan\\w*|seq_scan|query|" +
    "json_execute_serialized_sql|pragma)$",
);

/** What stands before a statement that is explained. `EXPLAIN ANALYZE` runs it: it has to be something that reads. */
export const explaining = /^\s*EXPLAIN\b\s*(?:ANALYZE\b)?\s*(?:\([^()]*\))?/i;

/** The names in a statement. One that the parser does not accept names nothing: DuckDB says why when it is run. */
export async function statementParts(connection: Connection, statement: string): Promise<StatementParts> {
  const text = statement.replace(explaining, "");
  const tree = JSON.parse(String(await connection.value(`SELECT json_serialize_sql(${literal(text)})`))) as Serialized;
  if (!tree.error) return partsOf(tree);
  // Some that read have no tree, such as PIVOT: every word before a parenthesis may be a function, and the first may be PRAGMA.
  const bare = text.replace(/--[^\n]*|\/\*[\s\S]*?\*\//g, " ");
  const words = [...bare.matchAll(/^\s*(\w+)|(\w+)"?\s*\(/g)].map(([, first, called]) => first ?? called ?? "");
  return { tables: [], functions: words.map((word) => word.toLowerCase()) };
}

/** Throws `configuration` where a statement calls a function that does more than read. */
export function requireOnlyReading({ functions }: StatementParts): void {
  const refused = functions.find((name) => refusedFunction.test(name));
  if (refused === undefined) return;
  throw new WeirError("configuration", `${refused} is not for here: it does more than read`, {
    advice: "Write what it would run as a statement of its own",
  });
}

interface Serialized {
  readonly error: boolean;
}

function partsOf(tree: Serialized): StatementParts {
  const tables: NamedTable[] = [];
  const functions: string[] = [];
  for (const node of nodesOf(tree)) {
    if (node.type === "BASE_TABLE") {
      tables.push({
        catalog: String(node.catalog_name ?? ""),
        namespace: String(node.schema_name ?? ""),
        name: String(node.table_name ?? ""),
      });
    }
    if (typeof node.function_name === "string") functions.push(node.function_name.toLowerCase());
  }
  return { tables, functions };
}

type Node = Readonly<Record<string, unknown>>;

function* nodesOf(value: unknown): Generator<Node, void> {
  if (typeof value !== "object" || value === null) return;
  if (!Array.isArray(value)) yield value as Node;
  for (const part of Object.values(value)) yield* nodesOf(part);
}
