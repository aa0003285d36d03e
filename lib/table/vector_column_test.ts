import assert from "node:assert/strict";
import type { Connection } from "../engine/connection.ts";
import { LocalStorage } from "../storage/local.ts";
import { withDatabase } from "../testing/temporary.ts";
import { writeParquet } from "./parquet.ts";

const vectors = { vector: "v", of: "hash" };
/** As many as fill a row group of 16,384, part of one, and no whole number of DuckDB's own vectors of 2,048. */
const rows = 40_001;

interface Written {
  readonly connection: Connection;
  /** As SQL. */
  readonly file: string;
  readonly storage: LocalStorage;
}

/** Writes a SELECT with vectors, and holds what can be read of the file against the same SELECT. */
async function writesExactly(
  select: string,
  check: (written: Written) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  await withDatabase(async ({ connection, folder }) => {
    const storage = new LocalStorage(folder);
    await connection.run(`CREATE TABLE wanted AS ${select}`);
    const written = await writeParquet(connection, { storage, path: "t/a.parquet", select: "FROM wanted", vectors });
    const file = `'${folder}/t/a.parquet'`;
    const differing = await connection.value(
      `SELECT count(*) FROM (SELECT row_number() OVER () AS place, * FROM wanted) AS left_
      FULL JOIN (SELECT file_row_number + 1 AS place, * FROM read_parquet(${file}, file_row_number = true)) AS right_
      USING (place) WHERE left_.hash IS DISTINCT FROM right_.hash OR left_.v IS DISTINCT FROM right_.v`,
    );
    assert.equal(differing, 0n);
    assert.equal(written!.bytes, BigInt((await storage.stat("t/a.parquet"))!.bytes));
    assert.deepEqual((await Array.fromAsync(storage.list("t"))).map(({ path }) => path), ["t/a.parquet"]);
    await check({ connection, file, storage });
  });
}

const numbers = (length: string) => `list_transform(range(${length}), lambda n: hash(i, n)::FLOAT / 1e19::FLOAT)`;

/** How the vectors stand in the file: ours have no compression. */
async function codecs({ connection, file }: Written): Promise<unknown> {
  return await connection.value(
    `SELECT list(DISTINCT compression) FROM parquet_metadata(${file}) WHERE starts_with(path_in_schema, 'v')`,
  ).then((found) => (found as { items: unknown }).items);
}

Deno.test("vectors stand beside their rows, over row groups, with NULL and empty ones between", () =>
  writesExactly(
    `SELECT i, CASE WHEN i % 7 <> 3 THEN md5(i::VARCHAR) END AS hash,
      CASE i % 7 WHEN 3 THEN NULL WHEN 4 THEN [] ELSE ${numbers("16")} END::FLOAT[] AS v FROM range(${rows}) rows(i)`,
    async (written) => {
      assert.deepEqual(await codecs(written), ["UNCOMPRESSED"]);
      const { connection, file } = written;
      const [counted] = await connection.rows(
        `SELECT sum(num_values)::BIGINT AS counted, sum(stats_null_count)::BIGINT AS nulls
        FROM parquet_metadata(${file}) WHERE starts_with(path_in_schema, 'v')`,
      );
      const [wanted] = await connection.rows(`SELECT sum(greatest(coalesce(len(v), 0), 1))::BIGINT AS counted,
        count(*) FILTER (coalesce(len(v), 0) = 0) AS nulls FROM wanted`);
      assert.deepEqual(counted, wanted);
    },
  ));

Deno.test("vectors of any length, infinities and NaN are written as they are", () =>
  writesExactly(
    `SELECT i::VARCHAR AS hash, (CASE i % 3 WHEN 0 THEN ['inf'::FLOAT, '-inf'::FLOAT, 'nan'::FLOAT, -0.0::FLOAT]
      ELSE ${numbers("1 + i % 300")} END)::FLOAT[] AS v FROM range(3000) rows(i)`,
    async (written) => assert.deepEqual(await codecs(written), ["UNCOMPRESSED"]),
  ));

Deno.test("a vector that lacks a number is not lost: the file is written by DuckDB alone", () =>
  writesExactly(
    `SELECT i AS hash, CASE WHEN i = 2500 THEN [1, NULL] ELSE [i, i] END::FLOAT[] AS v FROM range(3000) rows(i)`,
    async (written) => assert.deepEqual(await codecs(written), ["ZSTD"]),
  ));

Deno.test("rows that come in another order each time they are asked for still have their own vectors", () =>
  withDatabase(async ({ connection, folder }) => {
    const storage = new LocalStorage(folder);
    const select = `SELECT i AS hash, [i, i + 1]::FLOAT[] AS v FROM range(5000) rows(i) ORDER BY random()`;
    await writeParquet(connection, { storage, path: "t/a.parquet", select, vectors });
    const file = `'${folder}/t/a.parquet'`;
    assert.deepEqual(
      await connection.rows(`SELECT count(*) AS rows FROM ${file} WHERE v = [hash, hash + 1]::FLOAT[]`),
      [{ rows: 5000n }],
    );
    assert.deepEqual(await codecs({ connection, file, storage }), ["ZSTD"]);
  }));

Deno.test("a field's number stays, and a file of no rows is none", () =>
  withDatabase(async ({ connection, folder }) => {
    const storage = new LocalStorage(folder);
    const target = {
      storage,
      path: "t/a.parquet",
      vectors,
      fieldIds: new Map([["hash", { id: 1 }], ["v", { id: 2, element: 3 }]]),
    };
    const select = "SELECT i AS hash, [i]::FLOAT[] AS v FROM range(3) rows(i)";
    const written = await writeParquet(connection, { ...target, select });
    assert.deepEqual([...written!.statistics.keys()], ["hash", "v.element"]);
    assert.equal(written!.statistics.get("v.element")!.min, undefined);
    const ids = await connection.rows(
      `SELECT name, field_id FROM parquet_schema('${folder}/t/a.parquet') WHERE field_id IS NOT NULL`,
    );
    assert.deepEqual(ids.map(({ name, field_id }) => [name, Number(field_id)]), [["hash", 1], ["v", 2], [
      "element",
      3,
    ]]);
    await storage.delete("t/a.parquet");
    assert.equal(await writeParquet(connection, { ...target, select: `${select} WHERE false` }), undefined);
    assert.deepEqual(await Array.fromAsync(storage.list("t")), []);
  }));
