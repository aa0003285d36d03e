import assert from "node:assert/strict";
import { withPostgres } from "../../testing/with_postgres.ts";
import { PostgresConnection } from "./connection.ts";

const statement = "COPY (SELECT generate_series(1, 3)) TO STDOUT";

Deno.test("a copy ends when everything begun for its rows has ended, also where the last rows began it", () =>
  withPostgres(async ({ url }) => {
    const connection = await PostgresConnection.open(url);
    try {
      let finished = 0;
      const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)).then(() => void finished++);
      await connection.copyOut(statement, () => later(50));
      assert.equal(finished, 3);

      const failed = new RangeError("no room");
      const failing = connection.copyOut(statement, (row) => row[0] === 0x33 ? Promise.reject(failed) : later(20));
      await assert.rejects(failing, (thrown: Error) => thrown.cause === failed);
      assert.equal(finished, 5);

      await assert.rejects(
        connection.copyOut("COPY (SELECT 1 / (3 - n) FROM generate_series(1, 3) n) TO STDOUT", () => later(20)),
        { kind: "internal" },
      );
      assert.equal(finished, 7);
      assert.deepEqual(await connection.row("SELECT 1 AS one"), { one: 1 }, "the connection can be used again");
    } finally {
      await connection.close();
    }
  }));
