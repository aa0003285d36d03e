import assert from "node:assert/strict";
import * as arrow from "apache-arrow";
import { withDatabase } from "../../testing/temporary.ts";
import { textWidth } from "../../cli/table.ts";
import { runQuery } from "../../notebook/query.ts";
import { SqlPart } from "../../notebook/sql_part.ts";
import type { StatementRows } from "../session.ts";
import { arrowBytes } from "./arrow_bytes.ts";
import { csvBytes, jsonBytes, type RowBytes, tableBytes } from "./row_bytes.ts";

async function bytesOf(statement: string, make: RowBytes): Promise<Uint8Array<ArrayBuffer>> {
  return await withDatabase(async ({ database }) => {
    using running = await runQuery({ database, part: new SqlPart([statement]) });
    const chunks: StatementRows["chunks"] = {
      async *[Symbol.asyncIterator]() {
        for (let chunk = await running.next(); chunk !== undefined; chunk = await running.next()) yield chunk;
      },
    };
    const pieces = await Array.fromAsync(make({ names: running.names, types: running.types, chunks }));
    return new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer());
  });
}

async function textOf(statement: string, make: RowBytes): Promise<string> {
  return new TextDecoder().decode(await bytesOf(statement, make));
}

const values = `SELECT 9007199254740993::BIGINT AS large, 1.10::DECIMAL(4, 2) AS price, 0.1::FLOAT AS small,
  'a "b", c' AS text, '' AS empty, NULL AS nothing, TIMESTAMPTZ '2026-01-31 12:00:00.123456+00' AS time,
  [0.1::FLOAT, NULL] AS list, {'a': 'x', 'b': 1} AS struct, '\\x00\\xFF'::BLOB AS bytes, 'NaN'::DOUBLE AS nan`;

Deno.test("CSV holds values exactly, and NULL apart from the empty text", async () => {
  assert.equal(
    await textOf(values, csvBytes),
    "large,price,small,text,empty,nothing,time,list,struct,bytes,nan\n" +
      '9007199254740993,1.10,0.1,"a ""b"", c","",,2026-01-31 12:00:00.123456Z,"[0.1,null]","{""a"":""x"",""b"":1}",' +
      "\\x00ff,NaN\n",
  );
});

Deno.test("JSON holds values exactly, as texts where a number would round, and is one document", async () => {
  const [row] = JSON.parse(await textOf(values, jsonBytes));
  assert.deepEqual(row, {
    large: "9007199254740993",
    price: 1.1,
    small: 0.1,
    text: 'a "b", c',
    empty: "",
    nothing: null,
    time: "2026-01-31T12:00:00.123456Z",
    list: [0.1, null],
    struct: { a: "x", b: 1 },
    bytes: "\\x00ff",
    nan: "NaN",
  });
  assert.deepEqual(JSON.parse(await textOf("SELECT 1 WHERE false", jsonBytes)), []);
  assert.equal(JSON.parse(await textOf("SELECT 1 AS a, range AS a FROM range(5000)", jsonBytes)).length, 5000);
});

Deno.test("Arrow is read back whole, as a file and as a stream, without a row too", async () => {
  for (const form of ["file", "stream"] as const) {
    for (const count of [5000, 0]) {
      const bytes = await bytesOf(
        `SELECT range AS id, 'n' || range AS name FROM range(${count})`,
        (rows) => arrowBytes(rows, form),
      );
      const table = arrow.tableFromIPC(bytes);
      assert.deepEqual([table.numRows, table.schema.names], [count, ["id", "name"]], form);
      if (count > 0) assert.equal(table.getChild("name")?.get(4999), "n4999");
    }
  }
});

Deno.test("a table counts its rows, ends where it is told to, and is there without a row", async () => {
  assert.equal(await textOf("SELECT 7 AS n, 'x' AS t", tableBytes), "n  t\n─  ─\n7  x\n1 row\n");
  assert.equal(await textOf("SELECT 7 AS n WHERE false", tableBytes), "n\n─\n0 rows\n");
  const some = await textOf("SELECT range AS n FROM range(5000)", (rows) => tableBytes(rows, { most: 3 }));
  assert.match(some, /0\n1\n2\nthe first 3 rows\n$/);
  assert.match(await textOf("SELECT range AS n FROM range(5000)", tableBytes), /4999\n5,000 rows\n$/);
});

Deno.test("a plan is printed as it was drawn, whatever room there is", async () => {
  const text = await textOf("EXPLAIN SELECT sum(range) FROM range(3)", (rows) => tableBytes(rows, { cells: 20 }));
  assert.match(text, /^┌─+┐\n│ .* │\n/);
  assert.match(text, /RANGE/);
});

Deno.test("a table on a terminal is no wider than that, and says how many columns it shows", async () => {
  const columns = Array.from({ length: 9 }, (_, index) => `${index} AS n${index}`).join(", ");
  const wide = `SELECT repeat('long ', 50) AS text, ${columns}, repeat('日', 50) AS last`;
  for (const cells of [40, 80, 81, 120]) {
    const text = await textOf(`${wide} FROM range(3)`, (rows) => tableBytes(rows, { cells }));
    const lines = text.trimEnd().split("\n");
    assert.equal(lines.length, 2 + 3 + 1, text);
    for (const line of lines) assert.ok(textWidth(line) <= cells, `${cells}: ${line}`);
    assert.match(text, /long lo.*…/);
    assert.equal(/^3 rows, 11 columns \(\d+ shown\)$/m.test(text), cells < 80, text);
  }
  const none = await textOf(`${wide} WHERE false`, (rows) => tableBytes(rows, { cells: 30 }));
  assert.match(none, /^text +n0 +n1.* …\n[─ ]+\n0 rows, 11 columns \(\d shown\)\n$/);
});
