import assert from "node:assert/strict";
import { withDatabase } from "../testing/temporary.ts";
import { withTemporaryFolder } from "../testing/temporary_folder.ts";
import { literal } from "./quote.ts";

Deno.test("no statement reads or writes outside the folders, nor lifts that or any other limit", async () => {
  await withTemporaryFolder(async (outside) => {
    await Deno.writeTextFile(`${outside}/secret.csv`, "a\n1\n");
    await withDatabase(async ({ folder, connection }) => {
      const statements = [
        `SELECT * FROM read_csv(${literal(`${outside}/secret.csv`)})`,
        `SELECT * FROM read_text(${literal(`${folder}/../../${outside.split("/").at(-1)}/secret.csv`)})`,
        `COPY (SELECT 1) TO ${literal(`${outside}/stolen.csv`)}`,
        `ATTACH ${literal(`${outside}/other.db`)}`,
        "SET enable_external_access = true",
        `SET allowed_directories = [${literal(outside)}]`,
        "SET memory_limit = '100GB'",
        "SET threads = 64",
        "SET lock_configuration = false",
        "INSTALL httpfs",
      ];
      for (const statement of statements) {
        await assert.rejects(
          connection.run(statement),
          { message: /disabled by configuration|has been locked/ },
          statement,
        );
      }
      assert.deepEqual((await Array.fromAsync(Deno.readDir(outside))).map(({ name }) => name), ["secret.csv"]);
      assert.equal(
        await connection.run(`COPY (SELECT 1 AS a) TO ${literal(`${folder}/own.parquet`)} (FORMAT parquet)`),
        1,
      );
    });
  });
});

Deno.test("a file that is damaged or missing is named, with what to do", async () => {
  await withDatabase(async ({ folder, connection }) => {
    await Deno.writeTextFile(`${folder}/damaged.parquet`, "this is no Parquet file at all");
    await Deno.writeTextFile(`${folder}/short.parquet`, "no");
    for (const name of ["damaged", "short", "missing"]) {
      const path = `${folder}/${name}.parquet`;
      await assert.rejects(connection.rows(`SELECT * FROM read_parquet(${literal(path)})`), {
        kind: "tableUnreadable",
        message: `Cannot read ${path}: it is damaged or missing`,
        detail: { path },
        advice: /Restore the file named above/,
      });
    }
  });
});

Deno.test("a statement that needs more memory than there may be says which setting to raise, and the next one works", async () => {
  await withDatabase(async ({ connection }) => {
    const greedy = "SELECT length(string_agg(repeat('x', 1000), '')) FROM range(200000)";
    await assert.rejects(connection.value(greedy), { kind: "configuration", advice: /--memory-limit/ });
    assert.equal(await connection.value("SELECT 41 + 1"), 42);
  }, { memoryLimitBytes: 32 * 2 ** 20 });
});

Deno.test("instants are UTC, 64-bit numbers exact, and no row is no value", async () => {
  await withDatabase(async ({ connection }) => {
    assert.equal(
      await connection.value("SELECT '2026-01-01 00:00:00+02'::TIMESTAMPTZ::VARCHAR"),
      "2025-12-31 22:00:00+00",
    );
    assert.deepEqual(await connection.rows("SELECT 9007199254740993 AS n"), [{ n: 9007199254740993n }]);
    assert.equal(await connection.value("SELECT 1 WHERE false"), undefined);
    await connection.run("CREATE TABLE numbers AS SELECT * FROM range(5) AS t(n)");
    assert.equal(await connection.run("DELETE FROM numbers WHERE n > 1"), 3);
  });
});
