/** Joins of lake tables at their consistent point are what the source's transactions made of them, whatever a job commits meanwhile. */
import assert from "node:assert/strict";
import pg from "pg";
import { Database } from "../../lib/engine/database.ts";
import { openLake } from "../../lib/query/lake.ts";
import { LocalStorage } from "../../lib/storage/local.ts";
import { withTemporaryFolder } from "../../lib/testing/temporary_folder.ts";
import { withPostgres } from "../../lib/testing/with_postgres.ts";
import { assertVerified, captureJob } from "./capture_job.ts";

/** Points looked at, each of them another one; a machine under load takes longer to come to them. */
const points = 10;
const limitMs = 120_000;

/** Each transaction moves money between two tables; others touch one of them alone. The sum never changes. */
async function moveMoney(client: pg.Client, signal: AbortSignal): Promise<void> {
  for (let moves = 0; !signal.aborted; moves++) {
    const [id, amount] = [moves % 20, moves % 7];
    await client.query("BEGIN");
    await client.query(`UPDATE savings SET amount = amount - ${amount} WHERE id = ${id}`);
    await client.query(`INSERT INTO loans VALUES (${moves}, ${amount})`);
    await client.query("COMMIT");
    if (moves % 3 === 0) await client.query(`UPDATE savings SET note = 'm${moves}' WHERE id = ${id}`);
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
}

Deno.test("money that moves between two tables is there once, at every consistent point, while a job commits", () =>
  withTemporaryFolder((folder) =>
    withPostgres(async ({ client, url }) => {
      await client.query(
        `CREATE TABLE savings (id int PRIMARY KEY, amount int, note text); CREATE TABLE loans (id int PRIMARY KEY, amount int);
         INSERT INTO savings SELECT n, 1000 FROM generate_series(0, 19) AS s (n)`,
      );
      const lake = `${folder}/lake`;
      const temporaryFolder = `${folder}/reader`;
      await Deno.mkdir(temporaryFolder);
      const positions = new Set<string>();
      const outcome = await captureJob({
        url,
        lake,
        tables: ["savings", "loans"],
        work: async () => {
          const stop = new AbortController();
          const moving = moveMoney(client, stop.signal);
          try {
            const reader = await Database.open({ folders: [lake], temporaryFolder });
            const connection = await reader.connect();
            for (const startMs = performance.now(); positions.size < points && performance.now() - startMs < limitMs;) {
              const views = await openLake({ storage: new LocalStorage(lake), connection, at: "consistent" });
              assert.equal(views.length, 4);
              assert.equal(new Set(views.map(({ position }) => position?.offset)).size, 1);
              positions.add(views[0]?.position?.offset ?? "");
              for (const [left, right] of [["iceberg", "iceberg"], ["paimon", "iceberg"], ["iceberg", "paimon"]]) {
                const sum = await connection.value(
                  `SELECT (SELECT sum(amount) FROM ${left}_public.savings) + (SELECT coalesce(sum(amount), 0) FROM ${right}_public.loans)`,
                );
                assert.equal(sum, 20_000n, `${left} and ${right} at ${[...positions].at(-1)}`);
              }
            }
            connection.close();
            reader.close();
          } finally {
            stop.abort();
          }
          await moving;
        },
      });
      assertVerified(outcome, 2);
      assert.equal(positions.size, points);
    })
  ));
