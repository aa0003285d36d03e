import assert from "node:assert/strict";
import { DuckDBDecimalValue, DuckDBListValue } from "@duckdb/node-api";
import { withDatabase } from "../testing/temporary.ts";
import { givenTable } from "./given_rows.ts";
import { QueryResult } from "./query_result.ts";

Deno.test("given rows are a table of their types, in their order, and none are one too", () =>
  withDatabase(async ({ database }) => {
    const columns = [
      ...[["a", "BIGINT"], ["b", "DOUBLE"], ["c", "VARCHAR"], ["d", "FLOAT[]"], ["e", "DECIMAL(9,2)"], [
        "f",
        "TIMESTAMPTZ",
      ]],
    ] as [string, string][];
    const at = new Date("2024-02-29T01:00:00Z");
    const row = [1, 2n, "'", new DuckDBListValue([1, 0.5]), new DuckDBDecimalValue(150n, 9, 2), at];
    const rows = [row, columns.map(() => null), ...Array.from({ length: 5000 }, (_, i) => [i, i, "x", null, null, at])];
    const result = await QueryResult.of({ database, part: await givenTable(database, { columns, rows }) });
    assert.deepEqual(result.columns.map(({ type }) => type).slice(0, 5), columns.map(([, type]) => type).slice(0, 5));
    const read = await result.rows();
    assert.equal(read.length, rows.length);
    assert.deepEqual(read[0], { a: 1n, b: 2, c: "'", d: [1, 0.5], e: "1.50", f: at });
    assert.ok(Object.values(read[1]!).every((value) => value === null));
    assert.deepEqual([read[2]!.a, read.at(-1)!.a], [0n, 4999n]);
    const none = await QueryResult.of({ database, part: await givenTable(database, { columns, rows: [] }) });
    assert.deepEqual([none.columns.length, await none.rowCount()], [6, 0n]);
  }));
