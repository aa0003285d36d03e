import assert from "node:assert/strict";
import { withTemporaryFolder } from "../testing/temporary_folder.ts";
import { type Lake, openLake } from "./lake.ts";

async function withLake(body: (lake: Lake) => Promise<void>): Promise<void> {
  await withTemporaryFolder(async (folder) => {
    await using lake = await openLake({ lake: folder });
    await body(lake);
  });
}

Deno.test("a bound value arrives as it is, in the type that fits it", () =>
  withLake(async (lake) => {
    const given: readonly (readonly [unknown, string])[] = [
      [null, '"NULL"'],
      [true, "BOOLEAN"],
      [7, "INTEGER"],
      [2 ** 40, "BIGINT"],
      [7n, "BIGINT"],
      [2n ** 100n, "HUGEINT"],
      [0.5, "DOUBLE"],
      ["it's", "VARCHAR"],
      [new Uint8Array([0, 39]), "BLOB"],
      [new Date("2024-02-29T12:00:00.123Z"), "TIMESTAMP WITH TIME ZONE"],
      [[1, 2n, null], "BIGINT[]"],
      [[1, 0.5], "DOUBLE[]"],
      [[[1], [], [0.5]], "DOUBLE[][]"],
      [["a", "b'"], "VARCHAR[]"],
      [new Float32Array([0.5, 1]), "FLOAT[]"],
    ];
    for (const [value, type] of given) {
      const [row] = await (await lake.sql`SELECT typeof(${value}) AS type, ${value} AS value`).rows();
      assert.equal(row?.type, type);
      const isWidened = Array.isArray(value) || ArrayBuffer.isView(value) || typeof value === "number";
      if (!isWidened) assert.deepEqual(row?.value, value, type);
    }
    const [row] = await (await lake.sql`SELECT ${[1, 2n, null]} AS a, ${[]} AS b, ${2 ** 40} AS c`).rows();
    assert.deepEqual(row, { a: [1n, 2n, null], b: [], c: BigInt(2 ** 40) });
  }));

Deno.test("what DuckDB has no value for is refused before it is asked", () =>
  withLake(async (lake) => {
    for (const value of [undefined, Symbol("a"), { a: 1 }, [1, "a"], () => 1]) {
      await assert.rejects(lake.sql`SELECT ${value}`, TypeError);
    }
    for (const value of [2n ** 127n, new Date(NaN)]) await assert.rejects(lake.sql`SELECT ${value}`, RangeError);
  }));

Deno.test("DuckDB's own values can be given back to it", () =>
  withLake(async (lake) => {
    const result = await lake.sql`
      SELECT 1.50::DECIMAL(9, 2) AS a, DATE '2024-02-29' AS b, TIMESTAMP '2024-02-29 01:00:00.000001' AS c, [1.5]::FLOAT[] AS d,
        '\x00'::BLOB AS e, TIME '12:00:00' AS f, uuid() AS g, INTERVAL 1 DAY AS h, TIMESTAMPTZ '2024-02-29 01:00:00.000001Z' AS i`;
    for await (const chunk of result.chunks()) {
      for (const [index, value] of chunk.getRowValues(0).entries()) {
        const { name, type } = result.columns[index]!;
        const same = await lake.sql`SELECT ${value} = ${
          name === "d" ? [1.5] : value
        } AND typeof(${value}) IN (${type}, 'DOUBLE[]') AS same`;
        assert.deepEqual(await same.rows(), [{ same: true }], type);
      }
    }
  }));
