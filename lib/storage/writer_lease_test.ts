import assert from "node:assert/strict";
import { MemoryStorage } from "../testing/memory_storage.ts";
import { leaseLake, leasePaths } from "./writer_lease.ts";

const fast = { renewMs: 50, patienceMs: 400 };

Deno.test("a second writer of a lake in a bucket is fenced while the first renews its lease", async () => {
  const one = new MemoryStorage();
  const other = new MemoryStorage(one);
  {
    await using _first = await leaseLake(one, { writer: "here", ...fast });
    await assert.rejects(leaseLake(other, { writer: "there", ...fast }), { kind: "fenced" });
  }
  assert.equal(await one.stat(leasePaths["writes to"]), undefined, "a lease that is given back is gone");
  await using _second = await leaseLake(other, { writer: "there", ...fast });
});

Deno.test("a lease left behind is taken over: at once by its own machine, after a while by another", async () => {
  const storage = new MemoryStorage();
  const left = JSON.stringify({ writer: "here", process: "killed", renewals: 7 });
  for (const [writer, patienceMs, atLeastMs] of [["here", 60_000, 0], ["there", 400, 400]] as const) {
    await storage.put(leasePaths["writes to"], new TextEncoder().encode(left));
    const startedMs = performance.now();
    await using _lease = await leaseLake(storage, { writer, renewMs: 50, patienceMs });
    const tookMs = performance.now() - startedMs;
    assert.ok(tookMs >= atLeastMs - 5 && tookMs < 30_000, `${writer} took ${tookMs} ms`);
  }
});

Deno.test("of several that take over the same lease one at most goes on", async () => {
  const storage = new MemoryStorage();
  await storage.put(
    leasePaths["writes to"],
    new TextEncoder().encode(`{"writer":"gone","process":"killed","renewals":0}`),
  );
  const taken = await Promise.allSettled(
    ["a", "b", "c"].map((writer) => leaseLake(new MemoryStorage(storage), { writer, ...fast })),
  );
  const leases = taken.flatMap((end) => end.status === "fulfilled" ? [end.value] : []);
  for (const end of taken) if (end.status === "rejected") assert.equal(end.reason.kind, "fenced");
  assert.equal(leases.length, 1);
  for (const lease of leases) await lease[Symbol.asyncDispose]();
});
