import assert from "node:assert/strict";
import { withDatabase } from "../testing/temporary.ts";
import { checkSameOrder, createJoined } from "./joined_rows.ts";

Deno.test("values beside other rows than their own are never taken, and flags that are set anywhere are told", () =>
  withDatabase(async ({ connection }) => {
    await connection.run("CREATE TABLE rows AS SELECT i AS _ordinal FROM range(5000) AS numbers(i)");
    const beside = (name: string, from: string) =>
      connection.run(
        `CREATE TABLE ${name} AS SELECT *, false AS never, _ordinal = 4711 AS once, NULL::BOOLEAN AS unknown FROM ${from}`,
      );
    await beside("same", "rows");
    const flags = ["never", "once", "unknown"];
    assert.deepEqual(await checkSameOrder(connection, { rows: "rows", beside: "same", flags }), [false, true, false]);
    await beside("turned", "rows ORDER BY _ordinal DESC");
    await beside("fewer", "rows LIMIT 4999");
    await beside("more", "(FROM rows UNION ALL SELECT 5000)");
    for (const name of ["turned", "fewer", "more"]) {
      await assert.rejects(checkSameOrder(connection, { rows: "rows", beside: name }), { kind: "internal" }, name);
    }
  }));

for (const rows of [3, 5000]) {
  Deno.test(`${rows} rows and what stands beside them are one relation in the order of the rows`, () =>
    withDatabase(async ({ connection }) => {
      await connection.run(
        `CREATE TABLE rows AS SELECT i AS _ordinal FROM range(${rows}) AS numbers(i) ORDER BY hash(i)`,
      );
      await connection.run("CREATE TABLE beside AS SELECT _ordinal * 2 AS twice FROM rows");
      const select = "SELECT rows.*, beside.twice FROM rows POSITIONAL JOIN beside";
      await createJoined(connection, { name: "joined", select, rows });
      const counted = await connection.value("SELECT count(*) FROM joined WHERE twice = 2 * _ordinal");
      await checkSameOrder(connection, { rows: "rows", beside: "joined" });
      assert.equal(counted, BigInt(rows));
    }));
}
