import assert from "node:assert/strict";
import { WeirError } from "../../errors.ts";
import { withTemporaryFolder } from "../../testing/temporary_folder.ts";
import { withPostgres } from "../../testing/with_postgres.ts";
import { PostgresConnection } from "./connection.ts";
import { PostgresSource } from "./source.ts";
import { inspectTables } from "./start_capture.ts";

/** A database of encoding SQL_ASCII with a table whose name is in Latin 1, as one that was never told its encoding has. */
async function withUnknownTexts(body: (url: string) => Promise<void>): Promise<void> {
  await withPostgres(async ({ url, client }) => {
    await client.query("CREATE DATABASE old ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
    const old = Object.assign(new URL(url), { pathname: "/old" }).href;
    const connection = await PostgresConnection.open(old);
    await connection.run(
      `DO $$ BEGIN EXECUTE 'CREATE TABLE public."caf' || chr(233) || '" (id int PRIMARY KEY)'; END $$`,
    );
    await connection.close();
    await body(old);
  });
}

function isRefused(thrown: unknown): boolean {
  return thrown instanceof WeirError && thrown.kind === "precondition" &&
    /encoding SQL_ASCII, so nobody knows what its texts say: CREATE DATABASE/.test(thrown.message);
}

Deno.test("a database of encoding SQL_ASCII is refused for that, also where the names of its tables cannot be read", () =>
  withUnknownTexts((url) =>
    withTemporaryFolder(async (folder) => {
      for (const tables of [["*.*"], ["public.absent"]]) {
        const source = new PostgresSource({ url, tables, folder });
        await assert.rejects(source.inspect(), isRefused);
        await assert.rejects(source.start([]), isRefused);
        await source.close();
      }
    })
  ));

Deno.test("what the server's first answer rules out is said, though the connection is lost right after it", () =>
  withUnknownTexts(async (url) => {
    const connection = await PostgresConnection.open(url);
    const row = connection.row.bind(connection);
    connection.row = async <T>(sql: string, parameters?: readonly unknown[]) => {
      const answer = await row<T>(sql, parameters);
      connection.destroy();
      return answer;
    };
    const asked = inspectTables({ connection, tables: ["*.*"], slot: "weir", publication: "weir" });
    await assert.rejects(asked, isRefused);
  }));
