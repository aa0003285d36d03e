import assert from "node:assert/strict";
import type { Position } from "../change/position.ts";
import type { VerificationPoint } from "../change/source.ts";
import { VerificationPoints } from "./verification_points.ts";

const at = (offset: number): Position => ({ instance: "memory:1/1", offset: `${offset}` });

/** Points at 10, 20, 30 …, and how many of them are open. */
function pointsOf(open: (offset: number) => void = () => {}) {
  const state = { opened: 0, closed: 0 };
  const points = new VerificationPoints({
    compare: (left, right) => Number(left.offset) - Number(right.offset),
    verificationPoint: async (): Promise<VerificationPoint> => {
      await Promise.resolve();
      const position = at(++state.opened * 10);
      open(Number(position.offset));
      return {
        position,
        copyTo: () => Promise.resolve(0),
        comparable: (dataset) => Promise.resolve({ atSource: dataset, inLake: dataset, gone: [] }),
        close: () => Promise.resolve(void state.closed++),
      };
    },
  });
  return { points, state };
}

/** Lets whoever waits go on. */
const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

Deno.test("a point is reached when it is passed and every table stands there, and not before", async () => {
  const { points, state } = pointsOf();
  const reached: number[] = [];
  const opening = points.open(() => void reached.push(1));
  assert.notEqual(points.opening, undefined);
  await turn();
  assert.equal(points.opening, undefined);
  assert.equal(points.isReached(at(9)), false);
  await points.arrive(at(9), () => true);
  assert.deepEqual(reached, []);
  assert.equal(points.isReached(at(10)), true);
  await points.arrive(at(10), ({ offset }) => offset === "10");
  assert.deepEqual(reached, [1]);
  assert.equal((await opening).position.offset, "10");
  assert.deepEqual(state, { opened: 1, closed: 0 });
  assert.equal(points.isReached(at(99)), false);
});

Deno.test("nothing goes on while the tables are looked at", async () => {
  const { points } = pointsOf();
  const looking = Promise.withResolvers<void>();
  const opening = points.open(() => looking.promise);
  await turn();
  let goesOn = false;
  const arriving = points.arrive(at(10), () => true).then(() => goesOn = true);
  await turn();
  assert.equal(goesOn, false);
  looking.resolve();
  await arriving;
  await opening;
});

Deno.test("a point that was passed while a table was elsewhere is closed, and a later one is opened", async () => {
  const { points, state } = pointsOf();
  let looks = 0;
  const opening = points.open(() => void looks++);
  await turn();
  await points.arrive(at(15), () => false);
  await turn();
  assert.deepEqual(state, { opened: 2, closed: 1 });
  await points.arrive(at(20), () => true);
  assert.equal((await opening).position.offset, "20");
  assert.deepEqual([looks, state.closed], [1, 1]);
});

Deno.test("tables that are never all there end it with a conflict, and no point stays open", async () => {
  const { points, state } = pointsOf();
  const opening = points.open(() => assert.fail("no table was there"));
  opening.catch(() => {});
  for (let round = 1; round <= 10; round++) {
    await turn();
    await points.arrive(at(1000), () => false);
  }
  await assert.rejects(opening, { kind: "conflict" });
  assert.deepEqual(state, { opened: 10, closed: 10 });
});

Deno.test("a look that fails is told to who asked, closes the point, and the batches go on", async () => {
  const { points, state } = pointsOf();
  const broken = new Error("the file is damaged");
  const opening = points.open(() => Promise.reject(broken));
  opening.catch(() => {});
  await turn();
  await points.arrive(at(10), () => true);
  await assert.rejects(opening, broken);
  assert.deepEqual(state, { opened: 1, closed: 1 });
});

Deno.test("a point that cannot be opened is told to who asked, and holds up nobody", async () => {
  const broken = new Error("no slot is free");
  const { points } = pointsOf(() => {
    throw broken;
  });
  await assert.rejects(points.open(() => {}), broken);
  assert.equal(points.opening, undefined);
  assert.equal(points.isReached(at(1000)), false);
});

Deno.test("who waits for a point when the run is stopped, or comes later, is told so and waits no longer", async () => {
  const { points, state } = pointsOf();
  const opening = points.open(() => assert.fail("it was not reached"));
  await turn();
  points.giveUp();
  await assert.rejects(opening, { kind: "interrupted" });
  await assert.rejects(points.open(() => assert.fail("it was not reached")), { kind: "interrupted" });
  assert.deepEqual(state, { opened: 2, closed: 2 });
});
