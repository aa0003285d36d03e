/** Databases that live as long as one test. */
import type { Connection } from "../engine/connection.ts";
import { Database, type DatabaseOptions } from "../engine/database.ts";
import { identifier } from "../engine/quote.ts";

/** What {@linkcode withDatabase} gives. */
export interface DatabaseFixture {
  readonly folder: string;
  readonly database: Database;
  readonly connection: Connection;
}

type FixtureOptions = Pick<DatabaseOptions, "memoryLimitBytes" | "threads">;

/** A database and the folder that it sees. */
interface Engine {
  readonly database: Database;
  readonly root: string;
}

/**
 * Databases that a test has left empty, by their options: opening one takes 25 ms of processor time, which is more than many a
 * test does. A file of tests has its own.
 */
const idle = new Map<string, Engine[]>();

/** Runs a body with an empty, locked DuckDB that sees one new folder. */
export async function withDatabase<T>(
  body: (fixture: DatabaseFixture) => Promise<T>,
  options: FixtureOptions = {},
): Promise<T> {
  const ready = engines(options);
  const engine = ready.pop() ?? await openEngine(options);
  const folder = await Deno.makeTempDir({ dir: engine.root });
  const connection = await engine.database.connect();
  let isDone = false;
  try {
    const result = await body({ folder, database: engine.database, connection });
    isDone = true;
    return result;
  } finally {
    connection.close();
    await Deno.remove(folder, { recursive: true });
    if (isDone && await emptied(engine.database)) ready.push(engine);
    else closeEngine(engine);
  }
}

function engines(options: FixtureOptions): Engine[] {
  const key = `${options.memoryLimitBytes} ${options.threads}`;
  return idle.get(key) ?? idle.set(key, []).get(key)!;
}

async function openEngine(options: FixtureOptions): Promise<Engine> {
  const root = await Deno.makeTempDir({ prefix: "weir-" });
  const temporaryFolder = `${root}/duckdb`;
  await Deno.mkdir(temporaryFolder);
  return { root, database: await Database.open({ ...options, folders: [root], temporaryFolder }) };
}

function closeEngine({ database, root }: Engine): void {
  database.close();
  Deno.removeSync(root, { recursive: true });
}

globalThis.addEventListener("unload", () => {
  for (const engine of [...idle.values()].flat()) closeEngine(engine);
});

/** Drops tables and views. False where something else is left, or where that could not be done: another test is not to meet it. */
async function emptied(database: Database): Promise<boolean> {
  const connection = await database.connect();
  try {
    const left = await connection.rows(
      `SELECT 'VIEW' AS kind, schema_name, view_name AS name FROM duckdb_views() WHERE NOT internal
       UNION ALL SELECT 'TABLE', schema_name, table_name FROM duckdb_tables() WHERE NOT internal`,
    );
    for (const { kind, schema_name: schema, name } of left) {
      await connection.run(`DROP ${kind} ${identifier(String(schema))}.${identifier(String(name))}`);
    }
    return await connection.value(
      `SELECT (SELECT count(*) FROM duckdb_schemas() WHERE NOT internal)
            + (SELECT count(*) FROM duckdb_types() WHERE NOT internal)`,
    ) === 0n;
  } catch {
    return false;
  } finally {
    connection.close();
  }
}
