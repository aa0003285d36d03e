import assert from "node:assert/strict";
import type { Position } from "../change/position.ts";
import type { Sink } from "../change/sink.ts";
import { types } from "../dataset/column_type.ts";
import { MemoryLake, MemorySink } from "../testing/memory_sink.ts";
import { withDatabase } from "../testing/temporary.ts";
import { CommittedPositions } from "./committed_positions.ts";

const idleMs = 60;

function position(n: number): Position {
  return { instance: "test:1/1", offset: String(n) };
}

const source = { compare: (left: Position, right: Position) => Number(left.offset) - Number(right.offset) };

Deno.test("a table that stands still beside a busy one records its position, however often it is asked for it", async () => {
  await withDatabase(async ({ connection }) => {
    const sink: Sink = new MemorySink(new MemoryLake(connection), { namespace: "n", name: "idle" });
    const definition = {
      namespace: "n",
      name: "idle",
      key: ["id"],
      columns: [{ name: "id", type: types.int64, nullable: false }],
    };
    const change = { definition, schemaChanges: [], truncate: false, scope: ["id"], commitTimeMs: 0 };
    await sink.commit({ ...change, position: position(1) });
    const positions = new CommittedPositions(source, idleMs);
    await positions.load([sink]);
    await positions.passed([sink], { position: position(2), now: false });
    assert.deepEqual(positions.smallest([sink]), position(1), "not at every batch");
    for (const startMs = performance.now(); performance.now() - startMs <= idleMs;) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      await positions.load([sink]);
    }
    await positions.passed([sink], { position: position(3), now: false });
    assert.deepEqual(positions.smallest([sink]), position(3));
    assert.deepEqual((await sink.status()).position, position(3));
  });
});
