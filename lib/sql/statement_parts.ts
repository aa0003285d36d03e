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
  /** Functions that make tables, in lower case. */
  readonly tableFunctions: readonly string[];
}

/** What reads in form only: it writes log files, or runs a text that nobody has looked at. */
const refusedFunctions = ["enable_logging", "disable_logging", "query", "json_execute_serialized_sql"];

/** What stands before a statement that is explained. */
const explaining = /^\s*EXPLAIN\b\s*(?:ANALYZE\b)?\s*(?:\([^()]*\))?/i;

/** The names in a statement. One that the parser does not accept names nothing: DuckDB says why when it is run. */
export async function statementParts(connection: Connection, statement: string): Promise<StatementParts> {
  const text = statement.replace(explaining, "");
  const tree = JSON.parse(String(await connection.value(`SELECT json_serialize_sql(${literal(text)})`))) as Serialized;
  if (!tree.error) return partsOf(tree);
  // Some that read have no tree (PIVOT, DESCRIBE): every word before a parenthesis may be a function.
  const bare = text.replace(/--[^\n]*|\/\*[\s\S]*?\*\//g, "");
  return {
    tables: [],
    tableFunctions: [...bare.matchAll(/(\w+)"?\s*\(/g)].map(([, word = ""]) => word.toLowerCase()),
  };
}

/** Throws `configuration` where a statement calls a function that does more than read. */
export function requireOnlyReading({ tableFunctions }: StatementParts): void {
  const refused = tableFunctions.find((name) => refusedFunctions.includes(name));
  if (refused === undefined) return;
  throw new WeirError("configuration", `the function ${refused} is not for here: it does more than read`, {
    advice: "Write what it would run as a statement of its own",
  });
}

interface Serialized {
  readonly error: boolean;
}

function partsOf(tree: Serialized): StatementParts {
  const tables: NamedTable[] = [];
  const tableFunctions: string[] = [];
  for (const node of nodesOf(tree)) {
    if (node.type === "BASE_TABLE") {
      tables.push({
        catalog: String(node.catalog_name ?? ""),
        namespace: String(node.schema_name ?? ""),
        name: String(node.table_name ?? ""),
      });
    }
    if (typeof node.function_name === "string") tableFunctions.push(node.function_name.toLowerCase());
  }
  return { tables, tableFunctions };
}

type Node = Readonly<Record<string, unknown>>;

function* nodesOf(value: unknown): Generator<Node, void> {
  if (typeof value !== "object" || value === null) return;
  if (!Array.isArray(value)) yield value as Node;
  for (const part of Object.values(value)) yield* nodesOf(part);
}
