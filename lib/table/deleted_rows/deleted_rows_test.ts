import assert from "node:assert/strict";
import { withDatabase } from "../../testing/temporary.ts";
import { DeletedRows } from "./deleted_rows.ts";
import { PositionBitmap } from "./position_bitmap.ts";

const numbers = (count: number, step = 1) => Array.from({ length: count }, (_, index) => index * step);

Deno.test("rows of files that have left do not stay for ever, and a scan text is good for ten minutes more", () =>
  withDatabase(async ({ connection }) => {
    let nowMs = 0;
    const deleted = new DeletedRows(connection, () => nowMs);
    const kept = { uri: "kept", positions: PositionBitmap.empty.with([3, 5]), sequenceNumber: 1n };
    const left = (index: number) => {
      const positions = PositionBitmap.empty.with(numbers(30_000, 2));
      return { uri: `left ${index}`, positions, sequenceNumber: 2n };
    };
    const tables = async () =>
      (await connection.rows("SELECT table_name AS name FROM duckdb_tables()")).map(({ name }) => name);
    const first = await deleted.record([kept, left(0)], 2n);
    for (let index = 1; index < 4; index++) await deleted.record([kept, left(index)], 2n);
    assert.equal((await deleted.record([kept], 1n)).table, first.table, "an older state gives nothing up");
    assert.deepEqual(await tables(), [first.table]);
    const next = await deleted.record([kept], 3n);
    assert.notEqual(next.table, first.table);
    const rows = (table: string, id: bigint) =>
      connection.value(`SELECT list(row ORDER BY row)::VARCHAR FROM ${table} WHERE file = ${id}`);
    assert.equal(await rows(next.table, next.ids[0]!), "[3, 5]");
    assert.equal(await rows(first.table, first.ids[0]!), "[3, 5]");
    nowMs += 600_001;
    await deleted.record([kept], 3n);
    assert.deepEqual(await tables(), [next.table]);
  }));
