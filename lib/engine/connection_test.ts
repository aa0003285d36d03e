import assert from "node:assert/strict";
import type { DuckDBBigIntVector } from "@duckdb/node-api";
import { Database } from "./database.ts";
import { withTemporaryFolder } from "../testing/temporary_folder.ts";
import type { Connection } from "./connection.ts";

function withConnection(body: (connection: Connection) => Promise<void>): Promise<void> {
  return withTemporaryFolder(async (folder) => {
    const database = await Database.open({ folders: [folder], temporaryFolder: folder });
    const connection = await database.connect();
    try {
      await body(connection);
    } finally {
      connection.close();
      database.close();
    }
  });
}

const rows = 50_000;

/** Adds up numbers that come chunk by chunk. */
async function sumOfStream(connection: Connection): Promise<bigint> {
  let sum = 0n;
  await connection.eachChunk(`SELECT n::BIGINT FROM range(${rows}) AS numbers(n)`, (chunk) => {
    const numbers = chunk.getColumnVector(0) as DuckDBBigIntVector;
    for (let row = 0; row < chunk.rowCount; row++) sum += numbers.getItem(row) ?? 0n;
  });
  return sum;
}

Deno.test("a result that is read piece by piece is whole, whatever else is asked of the connection meanwhile", () =>
  withConnection(async (connection) => {
    const others = Array.from({ length: 50 }, (_, index) => connection.value(`SELECT ${index}::INTEGER`));
    const sums = await Promise.all([sumOfStream(connection), ...others.map(() => sumOfStream(connection))]);
    assert.deepEqual(new Set(sums), new Set([BigInt(rows) * BigInt(rows - 1) / 2n]));
    assert.deepEqual(await Promise.all(others), others.map((_, index) => index));
  }));

Deno.test("appenders and statements take turns on a connection", () =>
  withConnection(async (connection) => {
    await connection.run("CREATE TABLE numbers (n BIGINT)");
    const append = () =>
      connection.exclusively(async (native) => {
        const appender = await native.createAppender("numbers");
        for (let n = 0n; n < 5000n; n++) {
          appender.appendBigInt(n);
          appender.endRow();
        }
        appender.closeSync();
      });
    await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        await connection.run(`CREATE TABLE other_${index} AS FROM range(5000)`);
        await Promise.all([append(), connection.run(`DROP TABLE other_${index}`)]);
      }),
    );
    assert.equal(await connection.value("SELECT count(*)::INTEGER FROM numbers"), 100_000);
  }));

Deno.test("a statement that fails does not hold up those after it", () =>
  withConnection(async (connection) => {
    const failing = connection.run("SELECT * FROM nowhere");
    const following = connection.value("SELECT 7");
    await assert.rejects(failing, /nowhere/);
    assert.equal(await following, 7);
  }));
