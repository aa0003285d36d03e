import assert from "node:assert/strict";
import { withDatabase } from "../testing/temporary.ts";
import { Scratch } from "./scratch.ts";

Deno.test("tables, views and files of a batch go with it, and nothing else does", () =>
  withDatabase(async ({ connection }) => {
    const other = new Scratch(connection);
    await connection.run(`CREATE TABLE ${other.name("rows")} AS SELECT 1 AS a`);
    await Deno.writeTextFile(other.file("vectors"), "kept");
    const left = async () => ({
      tables: await connection.value("SELECT count(*) FROM duckdb_tables()"),
      views: await connection.value("SELECT count(*) FROM duckdb_views() WHERE NOT internal"),
      files: (await Array.fromAsync(Deno.readDir(connection.temporaryFolder))).length,
    });
    const before = await left();
    {
      await using scratch = new Scratch(connection);
      const [table, file] = [scratch.name("rows"), scratch.file("vectors")];
      await connection.run(`CREATE TABLE ${table} AS SELECT 1 AS a`);
      await connection.run(`CREATE VIEW ${scratch.name("view")} AS FROM ${table}`);
      await connection.run(`COPY ${table} TO '${file}' (FORMAT parquet)`);
      scratch.file("never made");
      assert.deepEqual(await left(), { tables: 2n, views: 1n, files: 2 });
    }
    assert.deepEqual(await left(), before);
    assert.deepEqual(before, { tables: 1n, views: 0n, files: 1 });
  }));
