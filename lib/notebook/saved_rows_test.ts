import assert from "node:assert/strict";
import { literal } from "../engine/quote.ts";
import { withDatabase } from "../testing/temporary.ts";
import { openLake } from "./lake.ts";

Deno.test("a result is saved with all its rows and types, in place of what was there, and leaves nothing else", () =>
  withDatabase(async ({ folder, connection }) => {
    await Deno.mkdir(`${folder}/lake`);
    await using lake = await openLake({ lake: `${folder}/lake` });
    const result = await lake.sql`
      SELECT range AS id, ${"it's"} AS text, (range / 4)::DECIMAL(9, 2) AS price FROM range(20000) WHERE range > ${4}`;
    for (const [ending, read] of [["parquet", "read_parquet"], ["csv", "read_csv"]] as const) {
      const path = `${folder}/new/results/rows.${ending}`;
      assert.equal(await (await lake.sql`SELECT 1 AS one`).save(path), 1);
      assert.equal(await result.save(path), 19_995);
      const [row] = await connection.rows(
        `SELECT count(*) AS n, sum(id) AS ids, any_value(text) AS text, sum(price)::DECIMAL(18, 2)::VARCHAR AS prices
         FROM ${read}(${literal(path)})`,
      );
      assert.deepEqual(row, { n: 19_995n, ids: 199_989_990n, text: "it's", prices: "49997497.50" });
    }
    const left = [...Deno.readDirSync(`${folder}/new/results`)].map(({ name }) => name).sort();
    assert.deepEqual(left, ["rows.csv", "rows.parquet"]);
  }));

Deno.test("a file of another kind, and one that cannot be written, is refused", () =>
  withDatabase(async ({ folder }) => {
    await Deno.mkdir(`${folder}/lake`);
    await using lake = await openLake({ lake: `${folder}/lake` });
    const result = await lake.sql`SELECT 1 AS one`;
    await assert.rejects(result.save(`${folder}/rows.xlsx`), { kind: "configuration", advice: /\.parquet or \.csv/ });
    await Deno.writeTextFile(`${folder}/file`, "");
    await assert.rejects(result.save(`${folder}/file/rows.csv`), { kind: "storage" });
  }));
