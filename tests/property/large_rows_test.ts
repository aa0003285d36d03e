/** Rows of several large values: each is judged by its own size, alike in copy, stream and verification. */
import assert from "node:assert/strict";
import { withTemporaryFolder } from "../../lib/testing/temporary_folder.ts";
import { withPostgres } from "../../lib/testing/with_postgres.ts";
import { assertVerified, captureJob } from "./capture_job.ts";

/** Five such values in a row are more than the reader's usual buffers hold. */
const limitBytes = 7 * 2 ** 20;

Deno.test("several values just under the limit arrive in one row, and one over it is a dead letter of its own", () =>
  withPostgres(({ client, url }) =>
    withTemporaryFolder(async (lake) => {
      await client.query("CREATE TABLE large (id int PRIMARY KEY, n int, a text, b text, c text, d text, e text)");
      const insert = async (id: number, ...bytes: number[]) => {
        const values = bytes.map((length, index) => `repeat('${"abcde"[index]}', ${length})`);
        await client.query(`INSERT INTO large VALUES (${id}, 0, ${values.join(", ")})`);
      };
      const [most, over] = [limitBytes, limitBytes + 1];
      await insert(1, most, most, most, most, most);
      await insert(2, 3, over, 0, most, 1);
      // Small where it is stored, and large as text.
      const dense = (id: number) =>
        client.query(`INSERT INTO dense VALUES (${id}, array_fill('-1.1754944e-38'::real, ARRAY[550000]))`);
      await client.query("CREATE TABLE dense (id int PRIMARY KEY, many real[])");
      await dense(1);
      const flags = { "max-value-bytes": String(limitBytes) };
      const job = { url, lake, tables: ["large", "dense"], flags };
      const outcome = await captureJob({
        ...job,
        work: async () => {
          await insert(3, most, most, most, most, most);
          await insert(4, 3, over, 0, most, 1);
          // The large values are not sent again.
          await client.query("UPDATE large SET n = 1");
          await dense(2);
          await client.query("UPDATE large SET a = NULL WHERE id IN (1, 3)");
        },
      });
      assertVerified(outcome, 2);
      const counts = outcome.verified.map(({ rows, deadLettered }) => [rows, deadLettered]);
      assert.deepEqual(counts, [[4, 2], [4, 2], [2, 2], [2, 2]]);
    }), { settings: { wal_level: "logical" } }));

Deno.test("a row that does not fit into memory is told with what to do, and the other tables go on", () =>
  withPostgres(({ client, url }) =>
    withTemporaryFolder(async (lake) => {
      await client.query(
        "CREATE TABLE large (id int PRIMARY KEY, a text, b text, c text); CREATE TABLE small (id int PRIMARY KEY)",
      );
      const values = Array(3).fill(`repeat('x', ${20 * 2 ** 20})`).join(", ");
      const job = { url, lake, tables: ["large", "small"], flags: { "memory-limit": "96MiB" } };
      await assert.rejects(
        captureJob({
          ...job,
          work: async () =>
            void await client.query(`INSERT INTO large VALUES (1, ${values}); INSERT INTO small VALUES (1)`),
        }),
        { kind: "configuration", message: /DuckDB needs more memory/, advice: /--memory-limit/ },
      );
      assertVerified(await captureJob({ ...job, flags: { "memory-limit": "768MiB" } }), 2);
    }), { settings: { wal_level: "logical" } }));
