import assert from "node:assert/strict";
import { join } from "node:path";
import type { Connection } from "../engine/connection.ts";
import { Database } from "../engine/database.ts";
import { LocalStorage } from "../storage/local.ts";
import { unquotePath, writeParquet, writeSplitParquet } from "./parquet.ts";

async function withLake(body: (connection: Connection, storage: LocalStorage) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "weir-parquet-" });
  const database = await Database.open({ folders: [folder], temporaryFolder: join(folder, "temporary") });
  const connection = await database.connect();
  try {
    await body(connection, new LocalStorage(folder));
  } finally {
    connection.close();
    database.close();
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a written file is described by its statistics", () =>
  withLake(async (connection, storage) => {
    const file = await writeParquet(connection, {
      storage,
      path: "t/a.parquet",
      select: `SELECT i AS "a.b", 'x' || i AS "q""x", [i::FLOAT] AS v, i / 0.0::DOUBLE AS d FROM range(3) r(i)`,
      fieldIds: new Map([["a.b", { id: 1 }], [`q"x`, { id: 2 }], ["v", { id: 3, element: 4 }], ["d", { id: 5 }]]),
    });
    assert.equal(file!.rows, 3n);
    assert.equal(file!.bytes, BigInt((await storage.stat("t/a.parquet"))!.bytes));
    assert.deepEqual(new Set(file!.statistics.keys()), new Set(["a.b", 'q"x', "v.element", "d"]));
    const { bytes: _, ...statistics } = file!.statistics.get("a.b")!;
    assert.deepEqual(statistics, { values: 3n, nulls: 0n, min: "0", max: "2" });
    assert.equal(file!.statistics.get('q"x')!.max, "x2");
    using readable = await storage.readable(["t/a.parquet"]);
    const path = readable.duckdbPath("t/a.parquet");
    const ids = await connection.rows(
      `SELECT name, field_id FROM parquet_schema('${path}') WHERE field_id IS NOT NULL`,
    );
    assert.deepEqual(ids.map((row) => [row.name, Number(row.field_id)]), [
      ["a.b", 1],
      ['q"x', 2],
      ["v", 3],
      ["element", 4],
      ["d", 5],
    ]);
  }));

Deno.test("no rows leave no file", () =>
  withLake(async (connection, storage) => {
    const file = await writeParquet(connection, { storage, path: "t/a.parquet", select: "SELECT 1 AS a WHERE false" });
    assert.equal(file, undefined);
    assert.equal(await storage.stat("t/a.parquet"), undefined);
    const select = "SELECT 1 AS a, 2 AS d WHERE false";
    const target = { storage, folder: "t", prefix: "p", splitBy: "d", folderOf: () => "t" };
    assert.deepEqual(await writeSplitParquet(connection, { ...target, select }), []);
  }));

Deno.test("rows are split by a column, and files of earlier calls stay", () =>
  withLake(async (connection, storage) => {
    const folderOf = (part: number) => `t/data/part=${part}/of three`;
    const target = { storage, folder: "t/data", prefix: "p", splitBy: "part", folderOf };
    const select = "SELECT i AS id, i % 3 AS part FROM range(9) r(i)";
    const first = await writeSplitParquet(connection, { ...target, select });
    const second = await writeSplitParquet(connection, { ...target, select });
    assert.equal(new Set([...first, ...second].map(({ path }) => path)).size, 6);
    assert.deepEqual(first.map(({ part }) => part).sort(), [0, 1, 2]);
    for (const { path, rows, part, statistics } of [...first, ...second]) {
      assert.deepEqual([rows, statistics.get("id")!.min, [...statistics.keys()]], [3n, String(part), ["id"]]);
      assert.ok(path.startsWith(`${folderOf(part)}/p-`));
      assert.notEqual(await storage.stat(path), undefined);
    }
  }));

Deno.test("no bounds are given for text whose bounds would lose a leading U+FEFF", () =>
  withLake(async (connection, storage) => {
    const select = "SELECT chr(65279) || 'a' AS marked, 'b' AS plain";
    const file = await writeParquet(connection, { storage, path: "t/a.parquet", select });
    assert.equal(file!.statistics.get("marked")!.max, undefined);
    assert.equal(file!.statistics.get("plain")!.max, "b");
    const target = { storage, folder: "t", prefix: "p", splitBy: "part", folderOf: () => "t" };
    const [split] = await writeSplitParquet(connection, { ...target, select: `${select}, 0 AS part` });
    assert.equal(split!.statistics.get("marked")!.min, undefined);
  }));

Deno.test("quoted statistics paths are split outside quotes", () => {
  assert.deepEqual(unquotePath('"a.b"."element"'), ["a.b", "element"]);
  assert.deepEqual(unquotePath('"q""x"'), ['q"x']);
});
