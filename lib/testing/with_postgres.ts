/** A real PostgreSQL server that lives as long as one test, or one file of tests. */
import pg from "pg";
import { EmbeddedPostgres } from "../embedded/postgres.ts";
import { copyPristineCluster } from "./pristine_cluster.ts";
import { withTemporaryFolder } from "./temporary_folder.ts";

/** What {@linkcode withPostgres} gives. */
export interface PostgresFixture {
  readonly server: EmbeddedPostgres;
  /** Connection string of the superuser. */
  readonly url: string;
  /** A connected client of that user. */
  readonly client: pg.Client;
}

/** Options of {@linkcode withPostgres}. */
export interface PostgresFixtureOptions {
  /** Server settings beside `fsync=off`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Whether its system identifier must differ from those of other tests' servers, which are copies of one. Default: no. */
  readonly hasOwnIdentity?: boolean;
}

/** Runs a body with a new server, stopped and removed afterwards, however the body ends. */
export async function withPostgres<T>(
  body: (fixture: PostgresFixture) => Promise<T>,
  options: PostgresFixtureOptions = {},
): Promise<T> {
  return await withTemporaryFolder(async (folder) => {
    if (!options.hasOwnIdentity) await copyPristineCluster(folder);
    await using server = await EmbeddedPostgres.start({ folder, settings: { fsync: "off", ...options.settings } });
    const client = new pg.Client({ connectionString: server.url });
    // A server that a test kills takes its clients along; without a listener that would end the process.
    client.on("error", () => {});
    await client.connect();
    try {
      return await body({ server, url: server.url, client });
    } finally {
      await client.end().catch(() => {});
    }
  });
}
