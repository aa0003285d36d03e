import assert from "node:assert/strict";
import { PartQueue } from "./part_queue.ts";

Deno.test("a reader that is ahead waits, and what nobody takes is discarded", async () => {
  const discarded: number[] = [];
  const queue = new PartQueue<number>(1, (item) => {
    discarded.push(item);
    return Promise.resolve();
  });
  let put = 0;
  const reader = (async () => {
    for (; put < 5; put++) await queue.put(put);
  })();
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(put, 1);
  assert.equal(await queue.take(), 0);
  await queue.close();
  await reader;
  assert.deepEqual(discarded, [1, 2, 3, 4]);
  assert.equal(await queue.take(), undefined);
});

Deno.test("a failure reaches the taker", async () => {
  const queue = new PartQueue<number>(1, () => Promise.resolve());
  const taken = assert.rejects(queue.take(), /planted/);
  queue.fail(new Error("planted"));
  await taken;
});
