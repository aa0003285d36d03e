import assert from "node:assert/strict";
import fc from "fast-check";
import type { Position } from "../change/position.ts";
import type { KeptSnapshot } from "../table/lake_table.ts";
import { comparePositions, consistentPoint, exactSpans, spanAt, type TableHistory } from "./exact_spans.ts";

const at = (offset: number): Position => ({ instance: "test:1/1", offset: `0/${offset.toString(16)}` });

/** Snapshots as `[position, after]`. */
function history(snapshots: readonly (readonly [number, number?])[], recorded?: number): TableHistory {
  return {
    snapshots: snapshots.map(([position, after], index): KeptSnapshot => ({
      id: BigInt(index + 1),
      timeMs: index,
      position: at(position),
      ...(after === undefined ? {} : { after: at(after) }),
    })),
    ...(recorded === undefined ? {} : { recorded: at(recorded) }),
  };
}

const spansOf = (...tables: readonly TableHistory[]) => tables.map(exactSpans);
const offset = (position: Position | undefined) => position && parseInt(position.offset.slice(2), 16);

Deno.test("a snapshot is the table from its own position to the beginning of the next one's batch, and nowhere inside it", () => {
  const spans = exactSpans(history([[10], [30, 20], [40, 30]], 55));
  assert.deepEqual(spans.map(({ from, to }) => [offset(from), offset(to)]), [[10, 20], [30, 30], [40, 55]]);
  const shown = (position: number) => spanAt(spans, at(position))?.snapshot?.id;
  assert.deepEqual([9, 10, 20, 21, 30, 31, 55, 56].map(shown), [
    undefined,
    1n,
    1n,
    undefined,
    2n,
    undefined,
    3n,
    undefined,
  ]);
});

Deno.test("what no batch speaks of is not guessed: copies, other writers, a table that waits for its copy, another source", () => {
  assert.deepEqual(exactSpans(history([[10], [50]])).map(({ to }) => offset(to)), [10, 50]);
  const foreign: TableHistory = { snapshots: [{ id: 1n, timeMs: 0 }], recorded: at(70) };
  assert.deepEqual(exactSpans(foreign), []);
  assert.deepEqual(exactSpans({ snapshots: [], recorded: at(70) }).map(({ to }) => offset(to)), [70]);
  assert.deepEqual(exactSpans({ snapshots: [] }), []);
  const other = { ...at(99), instance: "test:2/1" };
  assert.equal(offset(exactSpans({ ...history([[10]]), recorded: other })[0]?.to), 10);
  assert.throws(() => comparePositions(at(1), other), RangeError);
  assert.equal(
    consistentPoint([exactSpans(history([[10]])), exactSpans({ snapshots: [], recorded: other })]),
    undefined,
  );
  assert.equal(consistentPoint([]), undefined);
});

Deno.test("tables of different pace agree where a batch of one ends and the others stand still", () => {
  // Commits of one batch after another; the table without changes has recorded 100 and no more.
  assert.equal(offset(consistentPoint(spansOf(history([[100, 90], [110, 100]], 110), history([[50]], 100)))), 100);
  // Its next batch begins at 110, although it recorded nothing since 50.
  assert.equal(offset(consistentPoint(spansOf(history([[100, 90], [110, 100]]), history([[50], [120, 110]])))), 110);
  assert.equal(consistentPoint(spansOf(history([[10]]), history([[20]]))), undefined);
});

Deno.test("after a restart that cut batches anew, positions of one table say nothing of another whose batch was larger", () => {
  // One commit at 100 for all since 50; the other table, killed at 50, then took 70 and failed.
  assert.equal(offset(consistentPoint(spansOf(history([[50], [100, 50]], 200), history([[50], [70, 50]])))), 50);
});

/** Tables that take part in some batches of one stream, each as far as it has come, with the version at each position. */
const streams = fc.record({
  ends: fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 12 }).map((ends) =>
    ends.sort((left, right) => left - right)
  ),
  tables: fc.array(
    fc.record({ takesPart: fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }), reached: fc.nat(12) }),
    {
      minLength: 1,
      maxLength: 4,
    },
  ),
});

Deno.test("the consistent point is the greatest end of a batch that every table has come to", () => {
  fc.assert(
    fc.property(streams, ({ ends, tables }) => {
      const come = tables.map(({ reached }) => Math.min(reached, ends.length));
      const histories = tables.map(({ takesPart }, index): TableHistory => {
        const batches = ends.slice(0, come[index]).map((end, batch) => [end, ends[batch - 1] ?? 0] as const);
        return history([[0], ...batches.filter((_, batch) => takesPart[batch])], ends[come[index]! - 1] ?? 0);
      });
      const found = consistentPoint(spansOf(...histories));
      const least = Math.min(...come);
      assert.equal(offset(found), ends[least - 1] ?? 0);
      for (const [index, spans] of spansOf(...histories).entries()) {
        const taken = ends.slice(0, least).filter((_, batch) => tables[index]!.takesPart[batch]);
        assert.equal(offset(spanAt(spans, found!)?.snapshot?.position), taken.at(-1) ?? 0);
      }
    }),
    { seed: 20, numRuns: 300 },
  );
});

Deno.test("positions that count table commits are ordered as numbers, and never agree with those of a source", () => {
  const counted = (offset: number): Position => ({ instance: "vectors:test.orders", offset: String(offset) });
  assert.deepEqual([counted(10), counted(9), counted(2)].toSorted(comparePositions).map(({ offset }) => offset), [
    "2",
    "9",
    "10",
  ]);
  const spans = exactSpans({ snapshots: [{ id: 1n, timeMs: 0, position: counted(9) }], recorded: counted(10) });
  assert.deepEqual(consistentPoint([spans]), counted(10));
  assert.equal(consistentPoint([spans, exactSpans(history([[10]]))]), undefined);
});
