/** A query with its values, and its run: on a connection of its own, a chunk at a time. */
import {
  type DuckDBConnection,
  type DuckDBDataChunk,
  type DuckDBPreparedStatement,
  type DuckDBType,
  StatementType,
} from "@duckdb/node-api";
import type { Database } from "../engine/database.ts";
import { boundValue } from "./bound_value.ts";
import { asSql, type InSql, sql, SqlPart } from "./sql_part.ts";
import { explaining, requireOnlyReading, statementParts } from "./statement_parts.ts";

/** What is asked of whom. */
export interface Query {
  readonly database: Pick<Database, "connect">;
  readonly part: SqlPart;
}

/** A query at work. What has not been fetched when it is disposed is not computed. */
export interface RunningQuery extends Disposable {
  /** Different ones: DuckDB itself lets a query have several columns of a name. */
  readonly names: readonly string[];
  readonly types: readonly DuckDBType[];
  /** The next rows, about 2,048; undefined at the end. */
  next(): Promise<DuckDBDataChunk | undefined>;
}

/**
 * Begins to run a query.
 *
 * @throws {WeirError} `configuration` where it calls a function that does more than read.
 * @throws {TypeError} If it is not one statement that reads, or a value stands where SQL has no place for one.
 */
export async function runQuery({ database, part }: Query): Promise<RunningQuery> {
  using open = new DisposableStack();
  const connection = open.adopt(await database.connect(), (connected) => connected.close());
  requireOnlyReading(await statementParts(connection, part.text));
  const result = await connection.exclusively(async (native) => await (await prepared(native, part)).stream());
  const kept = open.move();
  return {
    names: result.deduplicatedColumnNames(),
    types: result.columnTypes(),
    next: async () => {
      const chunk = await connection.exclusively(() => result.fetchChunk());
      return chunk?.rowCount ? chunk : undefined;
    },
    [Symbol.dispose]: () => kept.dispose(),
  };
}

/** Writes the rows of a query into a new table of the database, which all of its connections see. Throws as {@linkcode runQuery}. */
export async function writeRows(query: Query, table: SqlPart): Promise<void> {
  await withRows(query, (rows) => sql`CREATE TABLE ${table} AS ${rows}`);
}

/**
 * Runs a statement that does something with the rows of a query, which it is given in brackets. Returns how many rows it wrote. Throws as
 * {@linkcode runQuery}.
 */
export async function withRows({ database, part }: Query, statement: (rows: SqlPart) => SqlPart): Promise<number> {
  using open = new DisposableStack();
  const connection = open.adopt(await database.connect(), (connected) => connected.close());
  requireOnlyReading(await statementParts(connection, part.text));
  return await connection.exclusively(async (native) => {
    await readingStatement(native, part.text);
    const { text, values } = statement(asTable(part));
    return (await bound(await native.prepare(text), values).run()).rowsChanged;
  });
}

/** The rows of a query as a table of another one. */
export function asTable(part: SqlPart): SqlPart {
  const texts = [...part.texts];
  texts.push((texts.pop() ?? "").replace(/[\s;]+$/, ""));
  // A comment at its end ends with its line.
  return sql`(${new SqlPart(texts, part.values)}
)`;
}

/** What stands for rows behind FROM: a piece of SQL as a table, everything else as it says itself. */
export function rowsInFrom(rows: InSql): SqlPart {
  return rows instanceof SqlPart ? asTable(rows) : rows[asSql];
}

async function prepared(native: DuckDBConnection, { text, values }: SqlPart): Promise<DuckDBPreparedStatement> {
  const asked = text.replace(explaining, "");
  const reading = await readingStatement(native, asked);
  return bound(asked === text ? reading : await native.prepare(text), values);
}

/** Binds a statement's values. */
function bound(statement: DuckDBPreparedStatement, values: readonly unknown[]): DuckDBPreparedStatement {
  if (statement.parameterCount !== values.length) {
    throw new TypeError(
      `Cannot bind ${values.length} values to ${statement.parameterCount} places: a value inside of quotes or of a ` +
        "comment has none",
    );
  }
  const given = values.map(boundValue);
  statement.bind(given.map(({ value }) => value), given.map(({ type }) => type));
  return statement;
}

async function readingStatement(native: DuckDBConnection, text: string): Promise<DuckDBPreparedStatement> {
  const statements = await native.extractStatements(text);
  if (statements.count !== 1) throw new TypeError(`Cannot run ${statements.count} statements: give one`);
  const statement = await statements.prepare(0);
  if (statement.statementType === StatementType.SELECT) return statement;
  throw new TypeError(
    `Cannot run a statement of type ${StatementType[statement.statementType]}: a lake is only read here`,
  );
}
