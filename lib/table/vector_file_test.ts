import assert from "node:assert/strict";
import type { VectorPages } from "../change/relation.ts";
import type { Connection } from "../engine/connection.ts";
import { LocalStorage } from "../storage/local.ts";
import { withDatabase } from "../testing/temporary.ts";
import { writeParquet } from "./parquet.ts";
import { VectorFile, vectorsSql } from "./vector_file.ts";

/** As many as fill two row groups of 16,384 and part of a third. */
const rows = 40_001;
const chunkRows = 2048;
const dimensions = 3;

/** `[row, row + 1, row + 2]` for each row, but none for every seventh. */
async function writeVectors(
  connection: Connection,
  { path, lists = rows }: { readonly path: string; readonly lists?: number },
): Promise<Omit<VectorPages, "of">> {
  using file = await VectorFile.create(connection, { path, rows });
  for (let first = 0; first < lists; first += chunkRows) {
    const count = Math.min(chunkRows, lists - first);
    const lengths = Int32Array.from({ length: count }, (_, row) => (first + row) % 7 === 3 ? -1 : dimensions);
    const numbers = Float32Array.from(
      { length: count * dimensions },
      (_, place) => first + Math.floor(place / dimensions) + place % dimensions,
    );
    await file.append({ lengths, numbers, starts: (row) => row * dimensions });
  }
  return await file.finish();
}

const hash = "CASE WHEN i % 7 <> 3 THEN md5(i::VARCHAR) END";
const vector = (first: string) => `CASE WHEN i % 7 <> 3 THEN [${first}, i + 1, i + 2]::FLOAT[] END`;

Deno.test("vectors of a file are read as a table, in their order", () =>
  withDatabase(async ({ connection, folder }) => {
    await writeVectors(connection, { path: `${folder}/vectors` });
    await connection.run(`CREATE TABLE wanted AS SELECT i, ${vector("i")} AS v FROM range(${rows}) rows(i)`);
    const [found] = await connection.rows(`SELECT count(*) AS rows, count(vector) AS filled,
      count(*) FILTER (vector IS DISTINCT FROM v) AS differing
      FROM wanted POSITIONAL JOIN ${vectorsSql(`${folder}/vectors`)}`);
    assert.deepEqual(found, { rows: BigInt(rows), filled: BigInt(rows - Math.ceil((rows - 3) / 7)), differing: 0n });
  }));

Deno.test("a file of the same rows in the same order takes the pages as they are; any other has its vectors from the rows", () =>
  withDatabase(async ({ connection, folder }) => {
    const storage = new LocalStorage(folder);
    const pages = {
      ...await writeVectors(connection, { path: `${folder}/vectors` }),
      of: `SELECT ${hash} FROM range(${rows}) rows(i)`,
    };
    // Whoever reads the rows' own vectors finds other numbers in them than the pages have.
    const own = `SELECT i, ${hash} AS hash, ${vector("-1")} AS v FROM range(${rows}) rows(i)`;
    const write = async (select: string) => {
      const vectors = { vector: "v", of: "hash", pages };
      const written = await writeParquet(connection, { storage, path: "t/a.parquet", select, vectors });
      assert.equal(written!.bytes, BigInt((await storage.stat("t/a.parquet"))!.bytes));
      const [found] = await connection.rows(`SELECT count(*) AS rows, count(*) FILTER (v = ${vector("i")}) AS pages,
        count(*) FILTER (v = ${vector("-1")}) AS own FROM read_parquet('${folder}/t/a.parquet')`);
      await storage.delete("t/a.parquet");
      return found;
    };
    const filled = BigInt(rows - Math.ceil((rows - 3) / 7));
    assert.deepEqual(await write(own), { rows: BigInt(rows), pages: filled, own: 0n });
    assert.deepEqual(await write(`${own} ORDER BY i DESC`), { rows: BigInt(rows), pages: 0n, own: filled });
    assert.deepEqual(await write(`${own} WHERE i <> 8`), { rows: BigInt(rows) - 1n, pages: 0n, own: filled - 1n });
    const twins = own.replace("md5(i::VARCHAR)", "md5((i // 2)::VARCHAR)");
    assert.deepEqual(await write(twins), { rows: BigInt(rows), pages: 0n, own: filled });
  }));

Deno.test("a file that lacks vectors is none", () =>
  withDatabase(({ connection, folder }) =>
    assert.rejects(writeVectors(connection, { path: `${folder}/vectors`, lists: 3 * chunkRows }), /6144 were/)
  ));
