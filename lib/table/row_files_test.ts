import assert from "node:assert/strict";
import type { Relation } from "../change/relation.ts";
import { types } from "../dataset/column_type.ts";
import { LocalStorage } from "../storage/local.ts";
import { withDatabase } from "../testing/temporary.ts";
import { dayExpression, type Split, writeRows } from "./row_files.ts";

const byLand: Split<string | null> = {
  column: "land",
  name: "land",
  expression: "land",
  type: types.string,
  valueOf: (text) => text,
};
const byDay: Split<string | null> = {
  column: "seen",
  name: "day",
  expression: dayExpression("seen", types.timestamptz),
  type: types.date,
  valueOf: (text) => text,
};

function relationOf(rows: number): Relation {
  return { name: "rows", definition: { namespace: "tests", name: "rows", columns: [], key: [] }, rows };
}

for (const parts of [1, 6, 130]) {
  Deno.test(`rows of ${parts} parts stand in files of their own, whatever their columns and values are called`, () =>
    withDatabase(async ({ connection, folder }) => {
      const storage = new LocalStorage(folder);
      // Values alike in their first hundred characters share a folder, and so may those alike but for their case.
      await connection.run(`CREATE TABLE rows AS SELECT i AS id, 'x' AS day, i AS part,
          CASE WHEN i % ${parts} > 0 THEN chr(65279) || repeat('é', 60) || '/'' ' || (i % ${parts}) END AS land,
          TIMESTAMPTZ '1969-12-31 23:59:59.999999+00' + to_microseconds(i % 2) AS seen
        FROM range(2000) AS numbers(i)`);
      const { files } = await writeRows({
        ...{ storage, connection, folder: "t/data", prefix: "p", splits: [byLand, byDay], rows: relationOf(2000) },
        columns: new Map(["id", "day", "part", "land", "seen"].map((name) => [name, name])),
      });
      const wanted = await connection.rows(
        "SELECT DISTINCT to_json(land)::VARCHAR AS land, seen::DATE::VARCHAR AS day FROM rows",
      );
      const values = files.map(({ values }) => JSON.stringify(values)).sort();
      assert.deepEqual(values, wanted.map(({ land, day }) => `[${land},"${day}"]`).sort());
      for (const { path, values: [, day] } of files) {
        assert.match(path, new RegExp(`^t/data/land=[^/]{1,100}/day=${day}/p`));
      }
      const stored =
        `(SELECT * FROM read_parquet('${folder}/t/data/*/*/*.parquet', hive_partitioning = false, filename = true))`;
      assert.deepEqual(
        await connection.rows(
          `SELECT count(DISTINCT (land, seen)) AS parts FROM ${stored} GROUP BY filename HAVING parts <> 1`,
        ),
        [],
      );
      assert.equal(
        await connection.value(
          `SELECT count(*) FROM (FROM rows EXCEPT ALL SELECT * EXCLUDE (filename) FROM ${stored})`,
        ),
        0n,
      );
      const left = await connection.rows("SELECT table_name FROM duckdb_tables() WHERE table_name <> 'rows'");
      assert.deepEqual([left, files.reduce((sum, { rows }) => sum + rows, 0n)], [[], 2000n]);
    }));
}

Deno.test("rows that stand in no part are never taken for written", () =>
  withDatabase(async ({ connection, folder }) => {
    await connection.run("CREATE TABLE rows AS SELECT i AS id FROM range(100) AS numbers(i)");
    const written = writeRows({
      ...{
        storage: new LocalStorage(folder),
        connection,
        folder: "t",
        prefix: "p",
        rows: relationOf(100),
        columns: new Map([["id", "id"]]),
      },
      splits: [{ ...byLand, expression: "CAST(random() AS VARCHAR)" }],
    });
    await assert.rejects(written, {
      kind: "internal",
      message: "100 rows were to be written in parts, and 0 were",
    });
  }));
