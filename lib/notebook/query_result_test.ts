import assert from "node:assert/strict";
import type { Connection } from "../engine/connection.ts";
import { Database } from "../engine/database.ts";
import { withTemporaryFolder } from "../testing/temporary_folder.ts";
import { plot } from "./chart.ts";
import { QueryResult } from "./query_result.ts";
import { sql, type SqlPart } from "./sql_part.ts";
import { display } from "./table_display.ts";

type Ask = (template: TemplateStringsArray, ...values: readonly unknown[]) => Promise<QueryResult>;

async function withEngine(body: (ask: Ask, database: Database) => Promise<void>): Promise<void> {
  await withTemporaryFolder(async (temporaryFolder) => {
    const database = await Database.open({ folders: [], temporaryFolder, threads: 2 });
    try {
      await body((template, ...values) => QueryResult.of({ database, part: sql(template, ...values) }), database);
    } finally {
      database.close();
    }
  });
}

/** A row of every type that a lake has, and one of NULLs. */
const everyType: SqlPart = sql`
  SELECT * FROM (VALUES
    (true, 7::INTEGER, 9007199254740993::BIGINT, 0.1::FLOAT, 0.1::DOUBLE, 12345678901234567.89::DECIMAL(38,2), -0.50::DECIMAL(4,2),
     '<i>é & "x"</i>', '\x00\xFF'::BLOB, DATE '2024-02-29', TIMESTAMP '2024-02-29 12:00:00.000001',
     TIMESTAMPTZ '2024-02-29 12:00:00.000001+02', [1.5, NULL, 3]::FLOAT[], ['a']::VARCHAR[], {'a': 1, 'b': 'x'}, INTERVAL 1 DAY),
    (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
  ) AS t(yes, small, large, float, double, wide, narrow, text, bytes, day, local, instant, vector, words, struct, span)`;

Deno.test("plain rows are exact but for the microseconds of instants", () =>
  withEngine(async (ask) => {
    const [row, nulls] = await (await ask`${everyType}`).rows();
    const { bytes, vector, float, ...rest } = row!;
    assert.deepEqual([...bytes as Uint8Array], [0, 255]);
    assert.deepEqual([vector, float], [[1.5, null, 3], Math.fround(0.1)]);
    assert.deepEqual(rest, {
      ...{ yes: true, small: 7, large: 9007199254740993n, double: 0.1, wide: "12345678901234567.89", narrow: "-0.50" },
      ...{ text: '<i>é & "x"</i>', day: new Date("2024-02-29"), local: new Date("2024-02-29T12:00:00Z") },
      ...{ instant: new Date("2024-02-29T10:00:00Z"), words: ["a"], struct: { a: 1, b: "x" }, span: "1 day" },
    });
    assert.ok(Object.values(nulls!).every((value) => value === null));
  }));

Deno.test("an Arrow table has the same values, NULLs and vectors included, over several chunks", () =>
  withEngine(async (ask) => {
    const table = await (await ask`${everyType}`).toArrow();
    assert.deepEqual(table.schema.fields.map(({ type }) => String(type)).slice(0, 13), [
      ...["Bool", "Int32", "Int64", "Float32", "Float64", "Decimal[38e+2]", "Decimal[4e+2]", "Utf8", "Binary"],
      ...["Date32<DAY>", "Timestamp<MICROSECOND>", "Timestamp<MICROSECOND, UTC>", "List<Float32>"],
    ]);
    const [row, nulls] = table.toArray();
    assert.equal(row.large, 9007199254740993n);
    assert.equal(row.text, '<i>é & "x"</i>');
    assert.deepEqual([...row.bytes], [0, 255]);
    assert.deepEqual([...row.vector], [1.5, null, 3]);
    assert.equal(row.instant, Date.parse("2024-02-29T10:00:00Z") + 0.001);
    assert.equal(BigInt(String(row.wide)), 1234567890123456789n);
    assert.equal(BigInt(String(row.narrow)), -50n);
    assert.ok(table.schema.names.every((name) => nulls[name] === null));
    const long = await ask`
      SELECT i, 'text ' || i AS text, CASE WHEN i % 3 > 0 THEN [i, i + 1]::FLOAT[] END AS vector FROM range(${20_000}) AS r(i)`;
    const all = await long.toArrow();
    assert.equal(all.numRows, 20_000);
    for (const at of [0, 1, 4095, 19_999]) {
      const { i, text, vector } = all.get(at)!;
      assert.deepEqual([i, text, vector && [...vector]], [BigInt(at), `text ${at}`, at % 3 > 0 ? [at, at + 1] : null]);
    }
  }));

Deno.test("a result is shown as HTML without a tag of the data's, as JSON and as text", () =>
  withEngine(async (ask) => {
    const bundle = await (await ask`${everyType}`)[display]();
    const html = String(bundle["text/html"]);
    assert.ok(html.includes("&lt;i&gt;é &amp; &quot;x&quot;&lt;/i&gt;") && !html.includes("<i>"));
    for (
      const shown of [
        "9007199254740993",
        "12345678901234567.89",
        "2024-02-29 10:00:00.000001Z",
        "[1.5, NULL, 3]",
        "0x00ff",
      ]
    ) assert.ok(html.includes(`>${shown}<`), shown);
    assert.match(html, /<span class="weir-null">NULL<\/span>/);
    assert.match(html, /2 rows × 16 columns/);
    const { schema, data } = bundle["application/vnd.dataresource+json"] as {
      schema: { fields: readonly unknown[] };
      data: readonly Record<string, unknown>[];
    };
    assert.deepEqual(schema.fields.slice(0, 4), [
      { name: "yes", type: "boolean" },
      { name: "small", type: "integer" },
      { name: "large", type: "integer" },
      { name: "float", type: "number" },
    ]);
    assert.deepEqual([data[0]?.large, data[0]?.float, data[0]?.narrow], ["9007199254740993", 0.1, -0.5]);
    assert.equal(data[0]?.instant, "2024-02-29T10:00:00.000001Z");
    assert.match(String(bundle["text/plain"]), /^ ?yes {2,}small/);
    JSON.stringify(bundle);
  }));

Deno.test("of a vector and of a long text a few values are shown, and how long they are", () =>
  withEngine(async (ask) => {
    const result =
      await ask`SELECT range(1000)::FLOAT[] AS vector, repeat('x', 100000) AS text, repeat('y', 100)::BLOB AS b`;
    const html = String((await result[display]())["text/html"]);
    assert.ok(html.includes("[0, 1, 2, 3, … 1000 values]") && html.includes("… 100 bytes"));
    assert.ok(html.length < 3000, String(html.length));
  }));

Deno.test("a plan is shown as it was drawn", () =>
  withEngine(async (ask) => {
    const bundle = await (await ask`EXPLAIN SELECT '<b>' || range FROM range(3)`)[display]();
    assert.match(String(bundle["text/html"]), /^<pre[^>]*>┌─+┐\n│/);
    assert.ok(!String(bundle["text/html"]).includes("<b>"));
  }));

Deno.test("columns of one name are told apart", () =>
  withEngine(async (ask) => {
    const result = await ask`SELECT 1 AS a, 2 AS a`;
    assert.deepEqual(Object.values((await result.rows())[0]!), [1, 2]);
  }));

Deno.test("a large result is counted and shown without its rows being read, and iterated a chunk at a time", () =>
  withEngine(async (ask) => {
    const result = await ask`SELECT range AS i, repeat('x', 200) AS text FROM range(${100_001})`;
    assert.equal(await result.rowCount(), 100_001n);
    assert.match(String((await result[display]())["text/plain"]), /100,001 rows × 2 columns, the first 20 shown/);
    await assert.rejects(result.rows(), { name: "RangeError", message: /more than 100000 rows/ });
    let seen = 0;
    for await (const rows of result) {
      seen += rows.length;
      if (seen > 10_000) break;
    }
    assert.ok(seen < 20_000);
    const first = await ask`SELECT i FROM ${result} ORDER BY i DESC LIMIT 1`;
    assert.deepEqual(await first.rows(), [{ i: 100_000n }]);
  }));

Deno.test("a cached result stays as it was computed", () =>
  withEngine(async (ask) => {
    const result = await (await ask`SELECT random() AS r FROM range(${20_000})`).cached();
    const sum = async () => (await (await ask`SELECT sum(r ORDER BY r) AS s, count(*) AS n FROM ${result}`).rows())[0];
    assert.deepEqual(await sum(), await sum());
    assert.equal((await sum())?.n, 20_000n);
  }));

Deno.test("no connection stays open behind a result, however its reading ended", () =>
  withEngine(async (ask, database) => {
    let open = 0;
    const counted = {
      connect: async () => {
        const connection: Connection = await database.connect();
        const close = connection.close.bind(connection);
        open++;
        connection.close = () => (open--, close());
        return connection;
      },
    };
    const large = await QueryResult.of({ database: counted, part: sql`SELECT range FROM range(${1_000_000})` });
    for await (const _ of large) break;
    await large.rowCount();
    await assert.rejects(QueryResult.of({ database: counted, part: sql`SELECT nonsense` }));
    await assert.rejects(large.rows({ most: 5 }));
    assert.equal(open, 0);
    assert.deepEqual(await (await ask`SELECT 1 AS a`).rows(), [{ a: 1 }]);
  }));

Deno.test("a chart of numbers, decimals and dates is an SVG that holds no markup of the data's", () =>
  withEngine(async (ask) => {
    const result = await ask`
      SELECT DATE '2024-01-01' + i::INTEGER AS day, i AS n, (i / 3)::DECIMAL(9,2) AS amount, '<script>' || i AS name
      FROM range(9) AS r(i)`;
    const chart = await plot(result, (rows, Plot) => ({
      marks: [Plot.lineY(rows, { x: "day", y: "amount" }), Plot.text(rows, { x: "day", y: "n", text: "name" })],
    }));
    assert.ok(chart.markup.startsWith("<svg") && chart.markup.includes("&lt;script&gt;0"));
    assert.ok(!chart.markup.includes("<script"));
    assert.match(String((await chart[display]())["image/svg+xml"]), /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"/);
    const legend = await plot(result, (rows, Plot) => ({
      color: { legend: true },
      marks: [Plot.barX(rows, { x: "n", y: "name", fill: "name" })],
    }));
    assert.match(String((await legend[display]())["text/html"]), /^<figure/);
    await assert.rejects(plot(result, () => ({}), { mostRows: 8 }), RangeError);
    const alone = await plot(result, (rows, Plot) => Plot.barY(rows, { x: "name", y: "n" }));
    assert.match(alone.markup, /<rect/);
    const unlisted = (_: unknown, Plot: { readonly frame: () => unknown }) => ({ marks: Plot.frame() }) as object;
    await assert.rejects(plot(result, unlisted), { name: "TypeError", message: /write them as in \(rows, Plot\) =>/ });
    const styled = await plot(result, () => ({ style: { color: "red" } }));
    const { "image/svg+xml": document } = await styled[display]() as { "image/svg+xml": string };
    assert.deepEqual(document.slice(0, document.indexOf(">")).match(/ style="[^"]*"/g)?.length, 1);
  }));

Deno.test("a SELECT that would write logs or profiles, or run a text that nobody has looked at, is refused before it runs", () =>
  withEngine(async (ask) => {
    for (
      const part of [
        sql`FROM enable_logging(storage := 'file')`,
        sql`SELECT * FROM query('SELECT 1')`,
        sql`FROM ENABLE_PROFILING(save_location := 'x')`,
      ]
    ) {
      await assert.rejects(async () => await (await ask`${part}`).rows(), { kind: "configuration" });
    }
    assert.deepEqual(await (await ask`SELECT 'query(x)' AS query`).rows(), [{ query: "query(x)" }]);
  }));
