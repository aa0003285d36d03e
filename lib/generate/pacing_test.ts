import assert from "node:assert/strict";
import { Pace, sleep } from "./pacing.ts";

Deno.test("what is due follows the clock, and what was late is made up", async () => {
  const pace = new Pace(1000);
  await sleep(120, undefined);
  const startMs = performance.now();
  const late = await pace.due(1, undefined);
  assert.ok(late >= 100 && late < 10_000, String(late));
  pace.sent(late);
  const due = await pace.due(50, undefined);
  assert.ok(due >= 50 && performance.now() - startMs >= 49);
});

Deno.test("an abort ends the wait for a row that is far from due", async () => {
  const controller = new AbortController();
  const startMs = performance.now();
  setTimeout(() => controller.abort(), 20);
  assert.equal(await new Pace(0.01).due(1, controller.signal), 0);
  assert.ok(performance.now() - startMs < 2000);
  await sleep(60_000, controller.signal);
});

Deno.test("a rate that is not positive is refused", () => {
  for (const rate of [0, -1, NaN, Infinity]) assert.throws(() => new Pace(rate), RangeError);
});
