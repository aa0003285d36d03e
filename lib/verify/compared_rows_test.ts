import assert from "node:assert/strict";
import { types } from "../dataset/column_type.ts";
import type { Dataset } from "../dataset/dataset.ts";
import { PostgresConnection } from "../source/postgres/connection.ts";
import { currentRowsOf } from "../testing/copy_out.ts";
import { withDatabase } from "../testing/temporary.ts";
import { withPostgres } from "../testing/with_postgres.ts";
import type { ComparedRows } from "./compared_rows.ts";
import { verifyTable } from "./verify.ts";

const dataset: Dataset = {
  namespace: "shop",
  name: "parts",
  source: { namespace: "public", table: "parts" },
  key: ["id", "part"],
  columns: [
    { name: "id", type: types.int64, nullable: false },
    { name: "part", type: types.string, nullable: false },
    { name: "name", type: types.string, nullable: true },
  ],
};
const rows = 4000;
const select = `SELECT n AS id, 'é,' || n % 7 AS part, 'name ' || n AS name FROM generate_series(1, ${rows})`;

Deno.test("a sample is the same keys on both sides, about as many as asked for, and what is planted in them is found", () =>
  withPostgres(({ url }) =>
    withDatabase(async ({ connection, folder }) => {
      const source = await PostgresConnection.open(url);
      await source.run("CREATE TABLE public.parts (id bigint, part text, name text, PRIMARY KEY (id, part))");
      await source.run(`INSERT INTO public.parts ${select} AS s (n)`);
      await connection.run(`CREATE TABLE lake AS ${select} AS s (n)`);
      const verify = (compared: ComparedRows, { scan = "FROM lake", of = dataset } = {}) =>
        verifyTable({ point: currentRowsOf(source), dataset: of, definition: of, scan, connection, folder, compared });
      const counts = async (...request: Parameters<typeof verify>) => {
        const { rows, missing, extra, different } = await verify(...request);
        return { rows, missing, extra, different };
      };
      const none = { missing: 0, extra: 0, different: 0 };
      const { rows: sampled } = await verify({ share: 0.25 });
      assert.ok(Math.abs(sampled - rows / 4) < 4 * Math.sqrt(rows * 0.25 * 0.75), `${sampled} of ${rows}`);
      assert.deepEqual(await counts({ share: 0.25 }), { rows: sampled, ...none });
      const other = "SELECT * REPLACE ('other' AS name) FROM lake";
      assert.deepEqual(await counts({ share: 0.25 }, { scan: other }), { ...none, rows: sampled, different: sampled });
      const unkeyed = { ...dataset, key: [] };
      const { rows: unkeyedRows, ...unkeyedCounts } = await counts({ share: 0.25 }, { of: unkeyed });
      assert.ok(Math.abs(unkeyedRows - rows / 4) < 200);
      assert.deepEqual(unkeyedCounts, none);

      await connection.run("CREATE TEMP TABLE touched AS SELECT '7' AS t0 UNION ALL SELECT '8'");
      const touched = { name: "touched", columns: ["id"] };
      const changed = "SELECT * REPLACE (if(id IN (7, 8, 9), 'x', name) AS name) FROM lake WHERE id <> 8";
      assert.deepEqual(await counts({ except: touched }, { scan: changed }), { ...none, rows: rows - 2, different: 1 });
      assert.deepEqual(await counts({ only: touched }, { scan: changed }), {
        rows: 2,
        missing: 1,
        extra: 0,
        different: 1,
      });
      assert.deepEqual(await counts({ only: touched, except: touched }, { scan: changed }), { rows: 0, ...none });
      await assert.rejects(() => verify({ only: { name: "touched", columns: ["name"] } }), RangeError);
      await assert.rejects(() => verify({ share: 0 }), RangeError);
      await source.close();
    })
  ));
