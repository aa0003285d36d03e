/** Folders and databases that live as long as one test. */
import type { Connection } from "../engine/connection.ts";
import { Database, type DatabaseOptions } from "../engine/database.ts";

/** What {@linkcode withDatabase} gives. */
export interface DatabaseFixture {
  readonly folder: string;
  readonly database: Database;
  readonly connection: Connection;
}

/** Runs a body with a new folder that is removed afterwards, however the body ends. */
export async function withTemporaryFolder<T>(body: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "weir-" });
  try {
    return await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs a body with a locked DuckDB that sees one new folder. */
export async function withDatabase<T>(
  body: (fixture: DatabaseFixture) => Promise<T>,
  options: Pick<DatabaseOptions, "memoryLimitBytes" | "threads"> = {},
): Promise<T> {
  return await withTemporaryFolder(async (folder) => {
    const temporaryFolder = `${folder}/duckdb`;
    await Deno.mkdir(temporaryFolder);
    const database = await Database.open({ ...options, folders: [folder], temporaryFolder });
    const connection = await database.connect();
    try {
      return await body({ folder, database, connection });
    } finally {
      connection.close();
      database.close();
    }
  });
}
